/* Samples to rows of luma. */

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
