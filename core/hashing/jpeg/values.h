/* The scan: bits, codes, and the values of a block. */

/* Go on with what is between two markers, until the window is full. */
static int more_data(Jpeg *jpeg)
{
    uint8_t *out = jpeg->data + (jpeg->data_end - jpeg->reader.place);
    const uint8_t *full = jpeg->data + WINDOW;
    memmove(jpeg->data, jpeg->reader.place, out - jpeg->data);
    while (out < full && !jpeg->at_marker) {
        Py_ssize_t left = jpeg->end - jpeg->next, size = full - out < left ? full - out : left;
        const uint8_t *found = memchr(jpeg->next, 0xFF, size);
        if (found)
            size = found - jpeg->next;
        memcpy(out, jpeg->next, size);
        jpeg->next += size, out += size;
        if (jpeg->end - jpeg->next < 2)
            return refuse(jpeg, "it is cut off");
        if (found && jpeg->next[1])
            jpeg->at_marker = 1;
        else if (found)
            *out++ = 0xFF, jpeg->next += 2;
    }
    memset(out, 0, PAD);
    jpeg->data_end = out, jpeg->reader.place = jpeg->data;
    return 0;
}

/* Start to read what is between this marker and the next. */
static int open_data(Jpeg *jpeg)
{
    jpeg->reader = (Reader){0, 0, jpeg->data};
    jpeg->data_end = jpeg->data;
    jpeg->at_marker = 0;
    jpeg->left = jpeg->interval ? jpeg->interval : INT32_MAX;
    for (int i = 0; i < jpeg->components; i++)
        jpeg->component[i].last = 0;
    return more_data(jpeg);
}

/* Whether all up to the next marker has been read, but for what fills its last byte. */
static int is_read(const Jpeg *jpeg, int marker)
{
    int64_t left = (jpeg->data_end - jpeg->reader.place) * 8 + jpeg->reader.count;
    return jpeg->at_marker && left >= 0 && left < 8 && jpeg->next[1] == marker;
}

static int restart(Jpeg *jpeg)
{
    if (!is_read(jpeg, 0xD0 + (jpeg->restarts++ & 7)))
        return refuse(jpeg, "it is damaged");
    jpeg->next += 2;
    return open_data(jpeg);
}

/* What must be there before an MCU is read. */
RARE int go_on(Jpeg *jpeg)
{
    return jpeg->left ? more_data(jpeg) : restart(jpeg);
}

/* At least 56 bits count after it. Source: F. Giesen, "Reading bits in far too many ways" (2018). */
INLINE void fill(Reader *reader)
{
    uint64_t ahead;
    memcpy(&ahead, reader->place, 8);
    ahead = __builtin_bswap64(ahead);
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
