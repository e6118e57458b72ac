/* What stands before the scan: tables, the frame, and which tables are whose. */

/* The number that `size` bits stand for. */
INLINE int number(int bits, int size)
{
    return !size ? 0 : bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
}

static int define_code(Huffman *code, const uint8_t *counts, const uint8_t *symbols, int is_ac)
{
    uint8_t length[1 << FAR] = {0}, symbol[1 << FAR] = {0};
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
