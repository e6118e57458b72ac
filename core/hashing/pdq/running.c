/* Sums over a window that moves along rows of floats, in the order and the roundings of PDQ's
 * reference code: at each step a number enters, and then one leaves. NumPy does the same where this
 * was not compiled, at ten times the price, for each sum waits for the one before. Here several rows
 * go on side by side. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum { TOGETHER = 8 };

/* Of `count` rows, at most TOGETHER; the compiler unrolls the loops where it knows how many. */
static inline void sum_rows(
    const float *rows, float *out, int count, Py_ssize_t width, Py_ssize_t size, Py_ssize_t ahead)
{
    float total[TOGETHER] = {0};
    for (Py_ssize_t enters = 0; enters < width + ahead - 1; enters++) {
        Py_ssize_t leaves = enters - size, place = enters - ahead + 1;
        if (enters < width)
            for (int row = 0; row < count; row++)
                total[row] += rows[row * width + enters];
        if (leaves >= 0)
            for (int row = 0; row < count; row++)
                total[row] -= rows[row * width + leaves];
        if (place >= 0)
            for (int row = 0; row < count; row++)
                out[row * width + place] = total[row];
    }
}

static PyObject *sums(PyObject *module, PyObject *args)
{
    Py_buffer rows, out;
    Py_ssize_t width, size, ahead;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*w*nnn", &rows, &out, &width, &size, &ahead))
        return NULL;
    Py_ssize_t line = sizeof(float) * width;
    int fits = width > 0 && width <= PY_SSIZE_T_MAX / 8 && rows.len == out.len && !(rows.len % line)
               && ahead >= 1 && ahead <= size && size <= width;
    if (fits) {
        const float *from = rows.buf;
        float *to = out.buf;
        Py_ssize_t left = rows.len / line;
        Py_BEGIN_ALLOW_THREADS
        for (; left >= TOGETHER; left -= TOGETHER, from += TOGETHER * width, to += TOGETHER * width)
            sum_rows(from, to, TOGETHER, width, size, ahead);
        sum_rows(from, to, (int)left, width, size, ahead);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&rows);
    PyBuffer_Release(&out);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "no such size");
    Py_RETURN_NONE;
}

static PyMethodDef FUNCTIONS[] = {{"sums", sums, METH_VARARGS, NULL}, {0}};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, .m_name = "core.hashing.pdq._running", .m_size = 0, .m_methods = FUNCTIONS};

PyMODINIT_FUNC PyInit__running(void)
{
    return PyModule_Create(&MODULE);
}
