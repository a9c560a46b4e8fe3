"""Builds ``hw.phone._re``: the cffi module over libre (see reactor.c, shim.c). ``python -m hw.build`` runs it."""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

_HERE = Path(__file__).parent
ffibuilder = FFI()
ffibuilder.cdef("""
struct sip_msg;
struct hw_stack;
struct hw_server;
struct hw_client;

static int hw_start(int maxfds);
static int hw_step(void);
static uint64_t hw_next_ms(void);
static uint64_t hw_undecodable(void);

static size_t hw_msg_text(const struct sip_msg *msg, char *out, size_t size);
static const char *hw_msg_body(const struct sip_msg *msg, size_t *size);

static int hw_stack_open(struct hw_stack **stackp, uint64_t id, const char *software);
static int hw_stack_listen(struct hw_stack *stack, int transport, const char *host, uint16_t port, uint16_t *bound);
static void hw_stack_trace(struct hw_stack *stack);
static void hw_stack_close(struct hw_stack *stack);

static int hw_server_open(struct hw_server **serverp, struct hw_stack *stack, struct sip_msg *msg, uint64_t id);
static int hw_server_reply(struct hw_server *server, int status, const char *reason, const char *text, size_t size);
static int hw_server_reply_once(struct hw_server *server, int status, const char *reason, const char *text,
                                size_t size);
static int hw_server_repeat(struct hw_server *server);
static void hw_server_free(struct hw_server *server);

static int hw_request(struct hw_client **clientp, struct hw_stack *stack, uint64_t id, const char *transport,
                      const char *host, uint16_t port, const char *method, const char *uri, const char *text,
                      size_t size);
static void hw_cancel(struct hw_client *client);

extern "Python" {
    void hw_on_request(uint64_t stack, struct sip_msg *msg);
    void hw_on_stray(uint64_t stack, struct sip_msg *msg);
    void hw_on_cancel(uint64_t server);
    void hw_on_response(uint64_t client, int err, struct sip_msg *msg);
    void hw_on_trace(uint64_t stack, int transport, const char *source, uint16_t source_port, const char *target,
                     uint16_t target_port, const uint8_t *data, size_t size);
}
""")
ffibuilder.set_source(
    "hw.phone._re",
    "".join((_HERE / name).read_text(encoding="utf-8") for name in ("reactor.c", "shim.c")),
    libraries=["re"],
    include_dirs=["/usr/include/re"],
    define_macros=[("HAVE_INET6", "1"), ("USE_TLS", "1"), ("HAVE_STDBOOL_H", "1")],
    extra_compile_args=["-std=gnu11", "-O2", "-Wall", "-Wno-unused-function"],
)

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(Path(__file__).parents[2]), verbose=True)
