/* What the parts of the decoder have in common. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Pillow decodes JPEGs here: bytes are expected in the other order"
#endif

/* Bits that are looked up: the code of a mean; other codes with their values; the length of several.
 * All that is needed at once must fit the processor's nearest cache. */
#define NEAR 9
#define AHEAD 11
#define FAR 12
#define WINDOW (1 << 16) /* bytes of data that are there at once: they stay in the cache */
#define LOW 2048         /* more than the codes of an MCU have */
#define PAD 512          /* zeros after the data */
#define END 80           /* where the end of a block leads, from wherever in it */

/* No value's square, summed down a column, may be larger: libjpeg-turbo has 16 bits for some sums.
 * No picture comes near; files made by hand do. */
#define MOST 1400

typedef int16_t short8 __attribute__((vector_size(16)));
typedef int16_t short16 __attribute__((vector_size(32), aligned(16)));
typedef int32_t int8 __attribute__((vector_size(32), aligned(16)));
typedef uint32_t word8 __attribute__((vector_size(32), aligned(16)));
typedef float float8 __attribute__((vector_size(32), aligned(16)));

#define INLINE static inline __attribute__((always_inline))
#define RARE static __attribute__((noinline, cold))
#define SELDOM(condition) __builtin_expect(!!(condition), 0)

#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (word8){__VA_ARGS__})
#endif

/* Where the C library can choose by processor, one with AVX2 and BMI2 has code of its own. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define BY_PROCESSOR __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define BY_PROCESSOR
#endif

/* What the next bits say: one value, or two. */
typedef struct {
    int16_t value[2];
    uint8_t steps[2];          /* from the place before it; none where there is no second */
    uint8_t bits[2];           /* of the first, and of both; 0: it takes more bits to tell */
} Values;

typedef struct {
    uint8_t size[1 << NEAR];   /* of means: size << 4 | bits of the code, without the value */
    Values next[1 << AHEAD];   /* of other values */
    uint16_t skip[1 << FAR];   /* ends << 15 | steps << 6 | bits, of one code or more; or 0 */
    uint32_t limit[17];        /* by length: the first 16 bits that are of no code so short */
    int32_t offset[17];        /* by length: from a code to the place of its symbol */
    uint8_t symbols[256];
    int known;
} Huffman;

typedef struct {
    int id, across, down;      /* blocks of it in an MCU, the smallest part with whole blocks of all */
    int quant, dc, ac;         /* numbers of its tables */
    int32_t last;              /* the value from which the next block's mean is counted */
    Py_ssize_t stride;
    uint8_t *samples;          /* the last row of the MCUs before, their rows, and the first after */
} Component;

typedef struct {
    uint64_t bits;             /* what comes next, from the highest bit on */
    int count;                 /* how many of them count */
    const uint8_t *place;      /* what follows those */
} Reader;

typedef struct {
    PyObject_HEAD
    Py_buffer content;
    const char *why;           /* it is not for this decoder */
    int busy, started;

    int height, width, components;
    int mcus_down, mcus_across;
    int interval;              /* MCUs from one restart to the next, or 0 */
    uint16_t quant[4][64];     /* in the order of the file */
    word8 factors[4][8];       /* the same, by row and column */
    int quants;                /* a bit for each that is known */
    Huffman codes[2][4];
    Component component[3];

    const uint8_t *next, *end; /* of the content */
    uint8_t *data;             /* of what is between two markers, without stuffing */
    const uint8_t *data_end;
    int at_marker;             /* nothing follows it */
    Reader reader;
    int left, restarts;

    int given, decoded;        /* rows, and rows of MCUs */
    int16_t *line;             /* room for three rows of chroma, and for all samples */
} Jpeg;

#define ZIGZAG \
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, \
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, \
    45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63

static const uint8_t ORDER[64] = {ZIGZAG};

static const uint8_t PLACE[63 + END + 1] = {ZIGZAG, [64 ... 63 + END] = 64};
/* Where a value belongs; those past the end of a block are of no use, and all go to one place. */

static const uint8_t LAST[9] = {0, 0, 4, 12, 24, 39, 51, 59, 63};
/* For each size of a corner of a block, the last of it in the order of the file. */

static int refuse(Jpeg *jpeg, const char *why)
{
    jpeg->why = why;
    return -1;
}
