/* Baseline JPEG files to luma, a few rows at a time, or to the lowest frequencies of their blocks.
 *
 * Source: ITU-T Recommendation T.81 (1992); for the inverse transform, the upsampling and the
 * colours, whose roundings it leaves open, what libjpeg-turbo does, so that luma is to the bit that
 * of the red, green and blue that Pillow decodes. The inverse transform is that of C. Loeffler,
 * A. Ligtenberg and G. Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications" (1989).
 *
 * This decoder is for what cameras, phones and browsers write: one scan, Huffman's code, 8 bits, gray
 * or Y Cb Cr with chroma whole, halved across, or halved both ways. Of anything else, and of anything
 * odd, it says so and stops, and another decoder has the last word. So it repairs nothing.
 *
 * Where the time goes, and what is done about it:
 * - A code of few bits tells how many bits it has, and so each waits for the one before. Tables of
 *   the next bits give a code, its value and its place at once, or the length of several codes
 *   whose values nobody wants.
 * - Bytes are freed of their stuffing before, so that 8 of them can be loaded as they are.
 * - The rest is done on 8 or 16 numbers at a time, in vectors that GCC and Clang know.
 *
 * Nothing is read or written out of bounds: a block has at most 64 codes of 27 bits; before an MCU of
 * six there is data for more than that, or all of it; PAD zeros follow, and after each block its place
 * is checked.
 */

#include "jpeg.h"
#include "headers.h"
#include "values.h"
#include "samples.h"
#include "luma.h"

static int start(Jpeg *jpeg)
{
    jpeg->started = 1;
    if (!(jpeg->data = PyMem_RawMalloc(WINDOW + PAD)))
        return refuse(jpeg, "memory is short");
    return open_data(jpeg);
}

/* For the samples of a row of MCUs, with a row above and one below, and for three rows of chroma. */
static int make_room(Jpeg *jpeg)
{
    Py_ssize_t line = 8 * jpeg->component[0].across * (Py_ssize_t)jpeg->mcus_across + 16, size = 0;
    for (int i = 0; i < jpeg->components; i++) {
        Component *one = &jpeg->component[i];
        one->stride = (Py_ssize_t)8 * one->across * jpeg->mcus_across;
        size += one->stride * (8 * one->down + 2);
    }
    if (!(jpeg->line = PyMem_RawCalloc(1, 3 * line * sizeof *jpeg->line + size)))
        return refuse(jpeg, "memory is short");
    uint8_t *samples = (uint8_t *)(jpeg->line + 3 * line);
    for (int i = 0; i < jpeg->components; i++) {
        Component *one = &jpeg->component[i];
        one->samples = samples;
        samples += one->stride * (8 * one->down + 2);
    }
    return 0;
}

static int rows(Jpeg *jpeg, float *out, Py_ssize_t count)
{
    const Component *luma = jpeg->component;
    if (!jpeg->started && (make_room(jpeg) || start(jpeg)))
        return -1;
    if (!jpeg->line)
        return refuse(jpeg, "it has been read");
    int high = 8 * luma->down, wait = luma->down - 1;
    for (; count; count--, out += jpeg->width, jpeg->given++) {
        if (jpeg->given >= jpeg->height)
            return refuse(jpeg, "it has no more rows");
        int all = jpeg->decoded == jpeg->mcus_down;
        if (!all && jpeg->given >= jpeg->decoded * high - wait && next_samples(jpeg))
            return -1;
        give_row(jpeg, out, jpeg->given - (jpeg->decoded - 1) * high + 1);
    }
    return 0;
}

static int cosines(Jpeg *jpeg, float *out, int keep)
{
    const Component *luma = jpeg->component;
    Py_ssize_t stride = (Py_ssize_t)jpeg->mcus_across * luma->across * keep;
    if (jpeg->started)
        return refuse(jpeg, "it has been read");
    if (start(jpeg))
        return -1;
    for (; jpeg->decoded < jpeg->mcus_down; out += stride * luma->down * keep)
        if (read_cosines(jpeg, keep, out, stride))
            return -1;
    return 0;
}

/* What Python sees of it: `_decoder.pyi`. */

static PyObject *read_into(Jpeg *jpeg, Py_buffer *out, Py_ssize_t unit, int keep)
{
    int failed;
    if (jpeg->busy || jpeg->why || !unit || out->len % unit || (keep && out->len != unit)) {
        PyBuffer_Release(out);
        return PyErr_Format(PyExc_ValueError, "%s", jpeg->busy ? "another thread reads it"
                                                    : jpeg->why ? jpeg->why : "no such size");
    }
    jpeg->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    failed = keep ? cosines(jpeg, out->buf, keep) : rows(jpeg, out->buf, out->len / unit);
    Py_END_ALLOW_THREADS
    jpeg->busy = 0;
    PyBuffer_Release(out);
    if (failed)
        return PyErr_Format(PyExc_NotImplementedError, "%s", jpeg->why);
    Py_RETURN_NONE;
}

static PyObject *py_rows(Jpeg *jpeg, PyObject *args)
{
    Py_buffer out;
    if (!PyArg_ParseTuple(args, "w*", &out))
        return NULL;
    return read_into(jpeg, &out, sizeof(float) * jpeg->width, 0);
}

static PyObject *py_cosines(Jpeg *jpeg, PyObject *args)
{
    const Component *luma = jpeg->component;
    Py_buffer out;
    int keep;
    if (!PyArg_ParseTuple(args, "w*i", &out, &keep))
        return NULL;
    if (keep < 1 || keep > 8)
        keep = 9; /* of which there is no size */
    Py_ssize_t blocks = (Py_ssize_t)jpeg->mcus_down * luma->down * jpeg->mcus_across * luma->across;
    return read_into(jpeg, &out, keep > 8 ? 0 : (Py_ssize_t)sizeof(float) * keep * keep * blocks, keep);
}

static PyObject *py_size(Jpeg *jpeg, void *closure)
{
    (void)closure;
    return Py_BuildValue("ii", jpeg->height, jpeg->width);
}

static PyObject *py_blocks(Jpeg *jpeg, void *closure)
{
    const Component *luma = jpeg->component;
    (void)closure;
    return Py_BuildValue("ii", jpeg->mcus_down * luma->down, jpeg->mcus_across * luma->across);
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)keywords;
    Jpeg *jpeg = (Jpeg *)type->tp_alloc(type, 0);
    if (!jpeg)
        return NULL;
    if (!PyArg_ParseTuple(args, "y*", &jpeg->content)) {
        Py_DECREF(jpeg);
        return NULL;
    }
    if (read_headers(jpeg)) {
        PyErr_Format(PyExc_NotImplementedError, "%s", jpeg->why);
        Py_DECREF(jpeg);
        return NULL;
    }
    return (PyObject *)jpeg;
}

static void destroy(Jpeg *jpeg)
{
    if (jpeg->content.obj)
        PyBuffer_Release(&jpeg->content);
    PyMem_RawFree(jpeg->data);
    PyMem_RawFree(jpeg->line);
    Py_TYPE(jpeg)->tp_free((PyObject *)jpeg);
}

static PyMethodDef METHODS[] = {
    {"rows", (PyCFunction)py_rows, METH_VARARGS, NULL},
    {"cosines", (PyCFunction)py_cosines, METH_VARARGS, NULL},
    {0},
};

static PyGetSetDef ATTRIBUTES[] = {
    {"size", (getter)py_size, NULL, NULL, NULL},
    {"blocks", (getter)py_blocks, NULL, NULL, NULL},
    {0},
};

static PyTypeObject TYPE = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "core.hashing.jpeg._decoder.Jpeg",
    .tp_basicsize = sizeof(Jpeg),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = create,
    .tp_dealloc = (destructor)destroy,
    .tp_methods = METHODS,
    .tp_getset = ATTRIBUTES,
};

static PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, .m_name = "core.hashing.jpeg._decoder", .m_size = -1};

PyMODINIT_FUNC PyInit__decoder(void)
{
    PyObject *module = PyModule_Create(&MODULE);
    if (!module || PyType_Ready(&TYPE))
        return NULL;
    if (PyModule_AddObjectRef(module, "Jpeg", (PyObject *)&TYPE))
        return NULL;
    return module;
}
