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
 * Nothing is read or written out of bounds: a block has at most 64 codes of 27 bits, PAD zeros follow
 * the data, and after each block its place is checked.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* Bits that are looked up: the code of a mean; other codes with their values; the length of several.
 * All that is needed at once must fit the processor's nearest cache. */
#define NEAR 9
#define AHEAD 11
#define FAR 12
#define PAD 512  /* zeros after the data */
#define END 80   /* where the end of a block leads, from wherever in it */

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
    word8 factors[4][8];        /* the same, by row and column */
    int quants;                /* a bit for each that is known */
    Huffman codes[2][4];
    Component component[3];

    const uint8_t *next, *end; /* of the content */
    uint8_t *data;             /* what is between two markers, without stuffing */
    const uint8_t *data_end;
    Reader reader;
    int left, restarts;

    int given, decoded;        /* rows, and rows of MCUs */
    void *planes;
    int16_t *line;             /* place for three rows of chroma */
} Jpeg;

#define ZIGZAG \
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, \
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, \
    45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63

static const uint8_t ORDER[64] = {ZIGZAG};

static const uint8_t PLACE[63 + END + 1] = {ZIGZAG, [64 ... 63 + END] = 64};
/* Where a value belongs; those past the end of a block are of no use, and all go to one place. */

static const uint8_t LAST[9] = {0, 0, 4, 12, 24, 40, 60, 62, 63};
/* For each size of a corner of a block, the last of it in the order of the file. */

static int refuse(Jpeg *jpeg, const char *why)
{
    jpeg->why = why;
    return -1;
}

/* ------------------------------------------------------------------------------- headers */

/* The number that `size` bits stand for. */
INLINE int number(int bits, int size)
{
    return !size ? 0 : bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
}

static int define_code(Huffman *code, const uint8_t *counts, const uint8_t *symbols, int is_ac)
{
    uint8_t length[1 << FAR] = {0}, symbol[1 << FAR];
    uint32_t next = 0;
    int known = 0;
    memset(code, 0, sizeof *code);
    for (int bits = 1; bits <= 16; bits++) {
        code->offset[bits] = known - (int32_t)next;
        for (int i = 0; i < counts[bits - 1]; i++, known++, next++) {
            if (next >= 1u << bits || (!is_ac && symbols[known] > 11))
                return -1;
            code->symbols[known] = symbols[known];
            if (bits <= FAR) {
                memset(length + (next << (FAR - bits)), bits, 1u << (FAR - bits));
                memset(symbol + (next << (FAR - bits)), symbols[known], 1u << (FAR - bits));
            }
        }
        code->limit[bits] = next << (16 - bits);
        next <<= 1;
    }
    code->known = 1;
    if (!is_ac) {
        for (int ahead = 0; ahead < 1 << NEAR; ahead++) {
            int place = ahead << (FAR - NEAR), bits = length[place];
            code->size[ahead] = bits && bits <= NEAR ? symbol[place] << 4 | bits : 0;
        }
        return 0;
    }
    for (int ahead = 0; ahead < 1 << AHEAD; ahead++) {
        Values *values = &code->next[ahead];
        for (int n = 0, used = 0; n < 2; n++) {
            int place = (ahead << used & ((1 << AHEAD) - 1)) << (FAR - AHEAD), what = symbol[place];
            int size = what & 15, bits = length[place] + size;
            if (!length[place] || used + bits > AHEAD || (!size && what && what != 0xF0))
                break;
            used += bits;
            values->value[n] = number(ahead >> (AHEAD - used) & ((1 << size) - 1), size);
            values->steps[n] = what ? (what >> 4) + 1 : END;
            values->bits[n] = used;
            if (!n)
                values->value[1] = values->value[0], values->bits[1] = used;
            if (!what)
                break;
        }
    }
    for (int ahead = 0; ahead < 1 << FAR; ahead++) {
        int bits = 0, steps = 0, ends = 0;
        while (bits < FAR && !ends) {
            int rest = ahead << bits & ((1 << FAR) - 1), what = symbol[rest], size = what & 15;
            if (!length[rest] || length[rest] > FAR - bits)
                break;
            if (!what)
                ends = 1;
            else if (size > 10 || (!size && what != 0xF0) || steps + (what >> 4) + 1 > 63)
                break;
            else
                steps += (what >> 4) + 1;
            bits += length[rest] + size;
        }
        code->skip[ahead] = ends << 15 | steps << 6 | bits;
    }
    return 0;
}

static int read_quants(Jpeg *jpeg, const uint8_t *at, int size)
{
    while (size > 0) {
        int wide = *at >> 4, number = *at & 15, needed = 1 + (wide ? 128 : 64);
        if (wide > 1 || number > 3 || size < needed)
            return refuse(jpeg, "its quantization tables are odd");
        for (int i = 0; i < 64; i++)
            jpeg->quant[number][i] = wide ? at[1 + 2 * i] << 8 | at[2 + 2 * i] : at[1 + i];
        for (int i = 0; i < 64; i++)
            jpeg->factors[number][ORDER[i] >> 3][ORDER[i] & 7] = jpeg->quant[number][i];
        jpeg->quants |= 1 << number;
        at += needed, size -= needed;
    }
    return 0;
}

static int read_codes(Jpeg *jpeg, const uint8_t *at, int size)
{
    while (size > 0) {
        int is_ac = *at >> 4, number = *at & 15, total = 0;
        for (int i = 1; i <= 16 && size >= 17; i++)
            total += at[i];
        if (is_ac > 1 || number > 3 || total > 256 || size < 17 + total
            || define_code(&jpeg->codes[is_ac][number], at + 1, at + 17, is_ac))
            return refuse(jpeg, "its Huffman tables are odd");
        at += 17 + total, size -= 17 + total;
    }
    return 0;
}

static int read_frame(Jpeg *jpeg, const uint8_t *at, int size)
{
    Component *luma = jpeg->component;
    if (jpeg->components || size < 6 || at[0] != 8 || size != 6 + 3 * at[5])
        return refuse(jpeg, "its frame is odd");
    jpeg->height = at[1] << 8 | at[2], jpeg->width = at[3] << 8 | at[4];
    jpeg->components = at[5];
    if ((jpeg->components != 1 && jpeg->components != 3) || !jpeg->height || jpeg->width < 5)
        return refuse(jpeg, "it is neither gray nor of three components, or too small");
    for (int i = 0; i < jpeg->components; i++) {
        const uint8_t *said = at + 6 + 3 * i;
        Component *one = &jpeg->component[i];
        one->id = said[0], one->across = said[1] >> 4, one->down = said[1] & 15;
        one->quant = said[2];
        if (one->quant > 3 || one->across < 1 || one->across > 4 || one->down < 1 || one->down > 4
            || (i && (one->across != 1 || one->down != 1)))
            return refuse(jpeg, "its components are odd");
    }
    if (jpeg->components == 1)
        luma->across = luma->down = 1; /* of no meaning where there are no others */
    if (luma->id == 'R' || luma->across > 2 || luma->down > luma->across)
        return refuse(jpeg, "its colours or their sampling are rare");
    jpeg->mcus_down = (jpeg->height + 8 * luma->down - 1) / (8 * luma->down);
    jpeg->mcus_across = (jpeg->width + 8 * luma->across - 1) / (8 * luma->across);
    return 0;
}

static int read_scan(Jpeg *jpeg, const uint8_t *at, int size)
{
    if (!jpeg->components || size != 4 + 2 * jpeg->components || at[0] != jpeg->components
        || memcmp(at + size - 3, "\0\77\0", 3))
        return refuse(jpeg, "it has several scans");
    for (int i = 0; i < jpeg->components; i++) {
        Component *one = &jpeg->component[i];
        one->dc = at[2 + 2 * i] >> 4, one->ac = at[2 + 2 * i] & 15;
        if (at[1 + 2 * i] != one->id || one->dc > 3 || one->ac > 3 || !jpeg->codes[0][one->dc].known
            || !jpeg->codes[1][one->ac].known || !(jpeg->quants >> one->quant & 1))
            return refuse(jpeg, "tables are missing");
    }
    return 0;
}

static int read_headers(Jpeg *jpeg)
{
    const uint8_t *at = jpeg->content.buf, *end = at + jpeg->content.len;
    if (end - at < 4 || at[0] != 0xFF || at[1] != 0xD8)
        return refuse(jpeg, "it is no JPEG");
    for (at += 2;;) {
        if (end - at < 4 || at[0] != 0xFF)
            return refuse(jpeg, "it ends before its scan");
        int marker = at[1], size = (at[2] << 8 | at[3]) - 2, failed = 0;
        const uint8_t *part = at + 4;
        if (size < 0 || end - part < size)
            return refuse(jpeg, "it ends before its scan");
        at = part + size;
        if (marker == 0xDB)
            failed = read_quants(jpeg, part, size);
        else if (marker == 0xC4)
            failed = read_codes(jpeg, part, size);
        else if (marker == 0xC0 || marker == 0xC1)
            failed = read_frame(jpeg, part, size);
        else if (marker == 0xDD && size == 2)
            jpeg->interval = part[0] << 8 | part[1];
        else if (marker == 0xEE && size >= 12 && !memcmp(part, "Adobe", 5) && part[11] != 1)
            return refuse(jpeg, "its colours are rare");
        else if (marker == 0xDA) {
            jpeg->next = at, jpeg->end = end;
            return read_scan(jpeg, part, size);
        } else if (marker < 0xE0 || (marker > 0xEF && marker != 0xFE))
            return refuse(jpeg, "it is progressive, or of another rare kind");
        if (failed)
            return -1;
    }
}

/* ---------------------------------------------------------------------------------- bits */

/* Start to read what is between this marker and the next. */
static int open_data(Jpeg *jpeg)
{
    uint8_t *out = jpeg->data;
    const uint8_t *at = jpeg->next;
    for (;;) {
        const uint8_t *found = memchr(at, 0xFF, jpeg->end - at);
        if (!found || jpeg->end - found < 2)
            return refuse(jpeg, "it is cut off");
        memcpy(out, at, found - at);
        out += found - at;
        at = found;
        if (found[1])
            break;
        *out++ = 0xFF;
        at += 2;
    }
    memset(out, 0, PAD);
    jpeg->next = at, jpeg->data_end = out;
    jpeg->reader = (Reader){0, 0, jpeg->data};
    jpeg->left = jpeg->interval ? jpeg->interval : INT32_MAX;
    for (int i = 0; i < jpeg->components; i++)
        jpeg->component[i].last = 0;
    return 0;
}

/* Whether all up to the next marker has been read, but for what fills its last byte. */
static int is_read(const Jpeg *jpeg, int marker)
{
    int64_t left = (jpeg->data_end - jpeg->reader.place) * 8 + jpeg->reader.count;
    return left >= 0 && left < 8 && jpeg->next[1] == marker;
}

RARE int restart(Jpeg *jpeg)
{
    if (!is_read(jpeg, 0xD0 + (jpeg->restarts++ & 7)))
        return refuse(jpeg, "it is damaged");
    jpeg->next += 2;
    return open_data(jpeg);
}

/* At least 56 bits count after it. Source: F. Giesen, "Reading bits in far too many ways" (2018). */
INLINE void fill(Reader *reader)
{
    uint64_t ahead;
    memcpy(&ahead, reader->place, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    ahead = __builtin_bswap64(ahead);
#endif
    reader->bits |= ahead >> reader->count;
    reader->place += (63 - reader->count) >> 3;
    reader->count |= 56;
}

INLINE void drop(Reader *reader, int bits)
{
    reader->bits <<= bits;
    reader->count -= bits;
}

/* The one value that comes next, where looking ahead does not tell; bits[0] is 0 where none does. */
RARE Values slowly(uint64_t ahead, const Huffman *code, int is_ac)
{
    int bits = 1;
    while (bits <= 16 && ahead >> 48 >= code->limit[bits])
        bits++;
    if (bits > 16)
        return (Values){0};
    int what = code->symbols[((int)(ahead >> (64 - bits)) + code->offset[bits]) & 255];
    int size = is_ac ? what & 15 : what, steps = is_ac && !what ? END : (what >> 4) + 1;
    if (size > 10 + !is_ac || (is_ac && !size && what && what != 0xF0))
        return (Values){0};
    int16_t value = number((int)(ahead << bits >> 1 >> (63 - size)), size);
    return (Values){{value, value}, {steps, 0}, {bits + size, bits + size}};
}

/* The difference to the mean of the block before; sets `bad` where there is none. */
INLINE int mean(Reader *reader, const Huffman *code, int *bad)
{
    int found = code->size[reader->bits >> (64 - NEAR)];
    if (SELDOM(!found)) {
        Values next = slowly(reader->bits, code, 0);
        drop(reader, next.bits[0]);
        *bad |= !next.bits[0];
        return next.value[0];
    }
    drop(reader, found & 15);
    int size = found >> 4, value = number((int)(reader->bits >> 1 >> (63 - size)), size);
    drop(reader, size);
    return value;
}

/* One value or two into their block. Returns the place of the last in the order of the file; at the
 * end, END or more. */
INLINE int more_values(Reader *reader, const Huffman *code, int16_t *block, int place, int *bad)
{
    Values next = code->next[reader->bits >> (64 - AHEAD)];
    if (SELDOM(!next.bits[0])) {
        next = slowly(reader->bits, code, 1);
        if (!next.bits[0])
            return *bad = 1, END;
    }
    place += next.steps[0];
    block[PLACE[place]] = next.value[0];
    if (place >= 63) { /* what follows is of the next block */
        drop(reader, next.bits[0]);
        return place;
    }
    place += next.steps[1];
    block[PLACE[place]] = next.value[1];
    drop(reader, next.bits[1]);
    return place;
}

/* Past one code or several, to the place of the last. */
INLINE int skipped(Reader *reader, const Huffman *code, int place, int *bad)
{
    uint32_t next = code->skip[reader->bits >> (64 - FAR)];
    int ahead = place + (next >> 6 & 63);
    if (SELDOM(ahead > 62 || !next)) { /* the block may end before the last of these codes */
        Values one = slowly(reader->bits, code, 1);
        *bad |= !one.bits[0];
        drop(reader, one.bits[0]);
        return one.bits[0] ? place + one.steps[0] : END;
    }
    drop(reader, next & 63);
    return next >> 15 ? END : ahead;
}

/* The values of a block up to `last`, in the order of the file, and past the rest. Returns END or
 * more where it ended before its last value, else 63. */
INLINE int values(Reader *reader, const Huffman *code, int16_t *block, int last, int *bad)
{
    int place = 0;
    while (place < last) {
        fill(reader);
        place = more_values(reader, code, block, place, bad);
        if (place >= last)
            break;
        place = more_values(reader, code, block, place, bad);
    }
    while (place < 63) {
        fill(reader);
        place = skipped(reader, code, place, bad);
        if (place >= 63)
            break;
        place = skipped(reader, code, place, bad);
    }
    *bad |= place > 63 && place < END;
    return place;
}

/* ------------------------------------------------------------------------------- samples */

/* The inverse transform along one axis, of 8 columns, without its last `shift` bits. Of numbers too
 * large for any picture only the lowest bits come out right, which is why they are unsigned. */
INLINE void inverse(word8 *x, const uint32_t plus, const int shift)
{
    word8 a = (x[2] + x[6]) * 4433u;
    word8 b = a - x[6] * 15137u, c = a + x[2] * 6270u;
    word8 d = ((x[0] + x[4]) << 13) + plus, e = ((x[0] - x[4]) << 13) + plus;
    word8 even[4] = {d + c, e + b, e - b, d - c};
    word8 turn = (x[7] + x[3] + x[5] + x[1]) * 9633u;
    word8 f = (x[7] + x[1]) * -7373u, g = (x[5] + x[3]) * -20995u;
    word8 h = (x[7] + x[3]) * -16069u + turn, i = (x[5] + x[1]) * -3196u + turn;
    word8 odd[4] = {x[1] * 12299u + f + i, x[3] * 25172u + g + h, x[5] * 16819u + g + i,
                    x[7] * 2446u + f + h};
    for (int k = 0; k < 4; k++) {
        x[k] = (word8)((int8)(even[k] + odd[k]) >> shift);
        x[7 - k] = (word8)((int8)(even[k] - odd[k]) >> shift);
    }
}

/* Rows to columns: in fours, in twos, in halves. */
INLINE void turn(word8 *rows)
{
    word8 twos[8], fours[8];
    for (int i = 0; i < 8; i += 2) {
        twos[i] = SHUFFLE(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        twos[i + 1] = SHUFFLE(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++) {
            word8 a = twos[i + k], b = twos[i + 2 + k];
            fours[i + 2 * k] = SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + 2 * k + 1] = SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        rows[i] = SHUFFLE(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        rows[i + 4] = SHUFFLE(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* Two numbers of 16 bits in each place, between black and white. */
INLINE word8 two_levels(word8 left, word8 right)
{
    short16 both = (short16)((left & 0xFFFF) | right << 16);
    both &= both > 0;
    return (word8)((both | (both > 255)) & 255);
}

/* A block to 8 x 8 samples; sets `large` where its values are larger than those of any picture. */
INLINE void block_samples(const int16_t *block, const word8 *factors, uint8_t *out,
                          Py_ssize_t stride, int8 *large)
{
    const short8 *values = (const short8 *)block;
    word8 x[8];
    float8 squares = {0};
    for (int i = 0; i < 8; i++) {
        x[i] = (word8)__builtin_convertvector(values[i], int8) * factors[i];
        float8 value = __builtin_convertvector((int8)x[i], float8);
        squares += value * value;
    }
    *large |= squares > (float)MOST * MOST;
    inverse(x, 1 << 10, 11);
    turn(x);
    inverse(x, (128 << 18) + (1 << 17), 18); /* samples are stored about mid-gray */
    word8 left = two_levels(x[0], x[2]) | two_levels(x[1], x[3]) << 8;
    word8 right = two_levels(x[4], x[6]) | two_levels(x[5], x[7]) << 8;
    word8 rows[2] = {SHUFFLE(left, right, 0, 8, 1, 9, 4, 12, 5, 13),
                     SHUFFLE(left, right, 2, 10, 3, 11, 6, 14, 7, 15)};
    for (int i = 0; i < 8; i++)
        memcpy(out + i * stride, (uint64_t *)&rows[i >> 1 & 1] + (i >> 2) * 2 + (i & 1), 8);
}

/* As `block_samples` of a block of which only the mean is not zero. */
INLINE void flat_samples(int mean, uint8_t *out, Py_ssize_t stride)
{
    int level = ((mean + 4) >> 3) + 128;
    level = level < 0 ? 0 : level > 255 ? 255 : level;
    for (int i = 0; i < 8; i++)
        memset(out + i * stride, level, 8);
}

INLINE void zero(int16_t *block)
{
    word8 *rows = (word8 *)block;
    rows[0] = rows[1] = rows[2] = rows[3] = (word8){0};
}

/* The next row of MCUs: to samples of all components or, if not `whole`, to the keep x keep lowest
 * frequencies of each block of luma, in rows of `stride` numbers: cosines, the first is the mean. */
INLINE int mcu_row(Jpeg *jpeg, const int whole, int keep, float *cosines, Py_ssize_t stride)
{
    const int last = whole ? 63 : LAST[keep];
    int16_t blocks[6][80] __attribute__((aligned(32))); /* of an MCU; the last 16 are for PLACE */
    int ends[6], bad = 0;
    int8 large = {0};
    Reader reader = jpeg->reader;
    for (int across = 0; across < jpeg->mcus_across; across++) {
        if (SELDOM(!jpeg->left)) {
            jpeg->reader = reader;
            if (restart(jpeg))
                return -1;
            reader = jpeg->reader;
        }
        jpeg->left--;
        int number = 0;
        for (int i = 0; i < jpeg->components; i++) {
            Component *one = &jpeg->component[i];
            const Huffman *dc = &jpeg->codes[0][one->dc], *ac = &jpeg->codes[1][one->ac];
            for (int n = one->across * one->down; n; n--, number++) {
                int16_t *block = blocks[number];
                if (whole || (last && !i))
                    zero(block);
                fill(&reader);
                one->last += mean(&reader, dc, &bad);
                block[0] = (int16_t)one->last;
                ends[number] = values(&reader, ac, block, !whole && i ? 0 : last, &bad);
                bad |= one->last > 4096 || one->last < -4096;
                if (SELDOM(bad || reader.place > jpeg->data_end + 8))
                    return refuse(jpeg, "it is damaged");
            }
        }
        /* Not before all are read: a vector of numbers that were just written one by one waits. */
        number = 0;
        for (int i = 0; i < (whole ? jpeg->components : 1); i++) {
            const Component *one = &jpeg->component[i];
            const uint16_t *quant = jpeg->quant[one->quant];
            for (int down = 0; down < one->down; down++)
                for (int n = 0; n < one->across; n++, number++) {
                    const int16_t *block = blocks[number];
                    Py_ssize_t left = (Py_ssize_t)across * one->across + n;
                    if (!whole) {
                        float *out = cosines + down * keep * stride + left * keep;
                        out[0] = block[0] * quant[0] / 8.f;
                        for (int v = 0; v < keep && keep > 1; v++)
                            for (int u = 0; u < keep; u++)
                                out[v * stride + u]
                                    = block[8 * v + u] * (int)jpeg->factors[one->quant][v][u] / 8.f;
                        continue;
                    }
                    uint8_t *out = one->samples + (1 + 8 * down) * one->stride + 8 * left;
                    if (ends[number] == END && block[0] * quant[0] < MOST
                        && block[0] * quant[0] > -MOST)
                        flat_samples(block[0] * quant[0], out, one->stride);
                    else
                        block_samples(block, jpeg->factors[one->quant], out, one->stride, &large);
                }
        }
    }
    for (int i = 0; i < 8; i++)
        if (large[i])
            return refuse(jpeg, "its values are too large");
    jpeg->reader = reader;
    jpeg->decoded++;
    if (jpeg->decoded == jpeg->mcus_down && !is_read(jpeg, 0xD9))
        return refuse(jpeg, "it does not end where it should");
    return 0;
}

BY_PROCESSOR static int read_samples(Jpeg *jpeg) { return mcu_row(jpeg, 1, 0, NULL, 0); }

BY_PROCESSOR static int read_cosines(Jpeg *jpeg, int keep, float *out, Py_ssize_t stride)
{
    return mcu_row(jpeg, 0, keep, out, stride);
}

/* ------------------------------------------------------------------------------- colours */

INLINE uint16_t weighed(uint16_t near, uint16_t far, uint16_t round)
{
    return (uint16_t)((uint16_t)(3 * near) + far + round);
}

/* Chroma of n places to 2 n, about zero: three parts of the nearer and one of the other. */
INLINE void widen(int16_t *restrict out, const uint16_t *restrict in, int n, const int shift,
                  const uint16_t even, const uint16_t odd)
{
    out[0] = (int16_t)((4 * in[0] + even) >> shift) - 128;
    for (int i = 0; i < n - 1; i++) {
        out[2 * i + 1] = (int16_t)(weighed(in[i], in[i + 1], odd) >> shift) - 128;
        out[2 * i + 2] = (int16_t)(weighed(in[i + 1], in[i], even) >> shift) - 128;
    }
    out[2 * n - 1] = (int16_t)((4 * in[n - 1] + odd) >> shift) - 128;
}

/* A share of a number, in parts of 65536, rounded: without more than 16 bits. */
INLINE int16_t share(int16_t number, int16_t parts)
{
    int16_t twice = (int16_t)((int16_t)(2 * number) * parts >> 16);
    return (int16_t)((twice + 1) >> 1);
}

INLINE int16_t level(int16_t number)
{
    number = number < 0 ? 0 : number;
    return number > 255 ? 255 : number;
}

/* Luma of red, green and blue, in gray levels: thousandths are whole numbers, divided once. */
INLINE void luma_row(float *restrict out, const uint8_t *restrict luma, const int16_t *restrict blue,
                     const int16_t *restrict red, int n)
{
    for (int i = 0; i < n; i++) {
        int16_t y = luma[i], cb = blue[i], cr = red[i];
        int16_t less = (int16_t)((-22554 * cb + 18734 * cr + 32768) >> 16);
        int16_t r = level(y + cr + share(cr, 26345)), g = level(y - cr + less);
        int16_t b = level(y + 2 * cb + share(cb, -14942));
        out[i] = (299.f * r + 587.f * g + 114.f * b) / 1000.f;
    }
}

/* One row of the image, which is the row `row` of the samples. */
BY_PROCESSOR static void give_row(Jpeg *jpeg, float *out, int row)
{
    const Component *luma = jpeg->component;
    const uint8_t *levels = luma->samples + row * luma->stride;
    int width = jpeg->width, half = (width + 1) / 2;
    if (jpeg->components == 1) {
        for (int i = 0; i < width; i++)
            out[i] = levels[i];
        return;
    }
    Py_ssize_t room = luma->stride + 16;
    uint16_t *restrict sums = (uint16_t *)jpeg->line;
    for (int c = 1; c < 3; c++) {
        const Component *chroma = &jpeg->component[c];
        int16_t *wide = jpeg->line + c * room;
        int near = luma->down == 2 ? (row + 1) / 2 : row, far = row & 1 ? near - 1 : near + 1;
        const uint8_t *restrict here = chroma->samples + near * chroma->stride;
        const uint8_t *restrict there = chroma->samples + far * chroma->stride;
        if (luma->across == 1)
            for (int i = 0; i < width; i++)
                wide[i] = (int16_t)(here[i] - 128);
        else if (luma->down == 1) {
            for (int i = 0; i < half; i++)
                sums[i] = here[i];
            widen(wide, sums, half, 2, 1, 2);
        } else {
            for (int i = 0; i < half; i++)
                sums[i] = weighed(here[i], there[i], 0);
            widen(wide, sums, half, 4, 8, 7);
        }
    }
    luma_row(out, levels, jpeg->line + room, jpeg->line + 2 * room, width);
}

static void copy_row(const Component *one, Py_ssize_t to, Py_ssize_t from)
{
    memcpy(one->samples + to * one->stride, one->samples + from * one->stride, one->stride);
}

/* Where chroma is halved down, the last row waits for the chroma of the MCUs below. At the top and
 * at the bottom, the first and the last row of chroma stand for those that are not there. */
static int next_samples(Jpeg *jpeg)
{
    for (int i = 0; i < jpeg->components && jpeg->decoded; i++)
        copy_row(&jpeg->component[i], 0, 8 * jpeg->component[i].down);
    if (read_samples(jpeg))
        return -1;
    int down = jpeg->component[0].down;
    int last = (jpeg->height + down - 1) / down - 8 * (jpeg->mcus_down - 1);
    for (int i = 1; i < jpeg->components; i++) {
        if (jpeg->decoded == 1)
            copy_row(&jpeg->component[i], 0, 1);
        if (jpeg->decoded == jpeg->mcus_down)
            copy_row(&jpeg->component[i], last + 1, last);
    }
    return 0;
}

/* -------------------------------------------------------------------------------- Python */

static int start(Jpeg *jpeg)
{
    jpeg->started = 1;
    if (!(jpeg->data = PyMem_RawMalloc(jpeg->end - jpeg->next + PAD)))
        return refuse(jpeg, "memory is short");
    return open_data(jpeg);
}

static int rows(Jpeg *jpeg, float *out, Py_ssize_t count)
{
    Component *luma = jpeg->component;
    Py_ssize_t sizes[3], size = 0, line = 3 * sizeof(int16_t);
    if (!jpeg->started) {
        for (int i = 0; i < jpeg->components; i++) {
            Component *one = &jpeg->component[i];
            one->stride = (Py_ssize_t)8 * one->across * jpeg->mcus_across;
            size += sizes[i] = one->stride * (8 * one->down + 2);
        }
        line *= luma->stride + 16;
        if (!(jpeg->planes = PyMem_RawCalloc(1, line + size)))
            return refuse(jpeg, "memory is short");
        jpeg->line = jpeg->planes;
        for (int i = 0; i < jpeg->components; i++)
            jpeg->component[i].samples = i ? jpeg->component[i - 1].samples + sizes[i - 1]
                                           : (uint8_t *)jpeg->planes + line;
        if (start(jpeg))
            return -1;
    }
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
    PyMem_RawFree(jpeg->planes);
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
    .tp_name = "core._jpeg.Jpeg",
    .tp_basicsize = sizeof(Jpeg),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = create,
    .tp_dealloc = (destructor)destroy,
    .tp_methods = METHODS,
    .tp_getset = ATTRIBUTES,
};

static PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, .m_name = "core._jpeg", .m_size = -1};

PyMODINIT_FUNC PyInit__jpeg(void)
{
    PyObject *module = PyModule_Create(&MODULE);
    if (!module || PyType_Ready(&TYPE))
        return NULL;
    if (PyModule_AddObjectRef(module, "Jpeg", (PyObject *)&TYPE))
        return NULL;
    return module;
}
