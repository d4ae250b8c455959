/* Records of todo, info, local and remote files: they are the same wherever the reads are cut, none
 * is over its limit, and written again they are the bytes that were read.
 * Input: `~` stands for a NUL. */
#include "queue/envelope.h"

#include "lib/num.h"
#include "rig.h"

#define BUFFER 64

const char *const fuzz_words[] = {
	"~", "~~", "u1000~", "p4711~", "Fs@x.test~", "F~", "Tj@y.test~", "Dk@y.test~", "T", "D",
	"\n", "\xff",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	NULL
};

/* All records, written again. */
static enum io_status
copy(struct span in, size_t buffer_size, struct buf *to)
{
	char in_buffer[BUFFER], out_buffer[BUFFER], type;
	struct buf data = { 0 };
	enum io_status status;
	struct io_out out;
	struct io_in from;

	io_in_init(&from, rig_file(0, in), in_buffer, buffer_size);
	io_out_init(&out, rig_file(1, span_str("")), out_buffer, sizeof out_buffer);
	while ((status = envelope_read(&from, &type, &data)) == IO_OK) {
		promise(data.n <= ENVELOPE_RECORD_MAX);
		promise(span_chr(buf_span(&data), '\0') == data.n);
		if (type == '\0')
			io_putc(&out, type);	/* a whole record */
		else
			envelope_put(&out, (enum envelope_type)type, buf_span(&data));
	}
	promise(io_flush(&out) == 0);
	rig_file_text(1, to);
	buf_free(&data);
	return status;
}

static void
check_number(uint64_t value)
{
	char in_buffer[BUFFER], out_buffer[BUFFER], type;
	struct buf text = { 0 }, data = { 0 };
	struct io_out out;
	struct io_in in;
	uint64_t read;

	io_out_init(&out, rig_file(1, span_str("")), out_buffer, sizeof out_buffer);
	envelope_put_number(&out, ENVELOPE_UID, value);
	promise(io_flush(&out) == 0);
	rig_file_text(1, &text);
	io_in_init(&in, rig_file(0, buf_span(&text)), in_buffer, sizeof in_buffer);
	promise(envelope_read(&in, &type, &data) == IO_OK && type == ENVELOPE_UID);
	promise(num_parse_u64(data.p, data.n, UINT64_MAX, &read) == NUM_OK && read == value);
	buf_free(&text);
	buf_free(&data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 }, whole = { 0 }, cut = { 0 };
	enum io_status status;
	uint64_t value = 0;

	rig_nuls(&in, rig_input(p, n), '~');
	status = copy(buf_span(&in), BUFFER, &whole);
	promise(status == IO_EOF || (status == IO_TOOLONG && n > ENVELOPE_RECORD_MAX));
	promise(span_starts(buf_span(&in), buf_span(&whole)));
	/* What is left has no end. */
	promise(span_chr(span_tail(buf_span(&in), whole.n), '\0') == in.n - whole.n);
	promise(copy(buf_span(&in), 1, &cut) == status);
	promise(span_eq(buf_span(&whole), buf_span(&cut)));
	for (size_t i = 0; i < n && i < 8; i++)
		value = value << 8 | p[i];
	check_number(value);
	buf_free(&in);
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
