/* Blocks to samples, or to their lowest frequencies. */

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
    short16 *rows = (short16 *)block;
    rows[0] = rows[1] = rows[2] = rows[3] = (short16){0};
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
        if (SELDOM(!jpeg->left
                   || (jpeg->data_end - reader.place < LOW && !jpeg->at_marker))) {
            jpeg->reader = reader;
            if (go_on(jpeg))
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
