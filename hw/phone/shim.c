/*
 * The narrow door to libre: transports, the parser and transactions (RFC 3261 §7, §17, §18). Dialogs, digest and all
 * policy are Python. Uses only calls that libre 1.1 (Debian 12) and 2.0 (Debian 13) share.
 */
struct hw_stack {
	struct sip *sip;
	uint64_t id;
};

struct hw_server {
	struct hw_stack *stack;
	struct sip_msg *msg;
	struct sip_strans *st;
	struct mbuf *final;     /* a 2xx to INVITE: the transaction user repeats it until the ACK (RFC 3261 §13.3.1.4) */
	uint64_t id;
};

struct hw_client {
	struct sip_request *req;
	uint64_t id;
};

static void hw_on_request(uint64_t stack, struct sip_msg *msg);
static void hw_on_stray(uint64_t stack, struct sip_msg *msg);
static void hw_on_cancel(uint64_t server);
static void hw_on_response(uint64_t client, int err, struct sip_msg *msg);
static void hw_on_trace(uint64_t stack, int transport, const char *source, uint16_t source_port, const char *target,
			uint16_t target_port, const uint8_t *data, size_t size);

/* -- messages ------------------------------------------------------------------------------------------------------ */

static char *put(char *out, const char *end, const struct pl *text)
{
	size_t i;

	for (i = 0; i < text->l && out < end; i++) {
		const unsigned char c = (unsigned char)text->p[i];
		*out++ = (c < 0x20 || c == 0x7f) ? ' ' : (char)c;
	}
	return out;
}

static char *put_char(char *out, const char *end, char c)
{
	if (out < end)
		*out++ = c;
	return out;
}

static char *put_number(char *out, const char *end, unsigned number)
{
	char text[16];
	struct pl pl;

	pl.p = text;
	pl.l = (size_t)snprintf(text, sizeof(text), "%u", number);
	return put(out, end, &pl);
}

/*
 * A message as lines that cannot lie about where they end (control characters are blanks): transport, source host,
 * source port; method or empty; request URI or reason; status; To tag for our replies; then "name:value" lines.
 */
static size_t hw_msg_text(const struct sip_msg *msg, char *out, size_t size)
{
	const char *end = out + size;
	char host[64], tag[24], *p = out;
	struct pl pl;
	struct le *le;

	pl_set_str(&pl, sip_transp_name(msg->tp));
	p = put_char(put(p, end, &pl), end, '\n');
	if (sa_ntop(&msg->src, host, sizeof(host)))
		host[0] = 0;
	pl_set_str(&pl, host);
	p = put_char(put(p, end, &pl), end, '\n');
	p = put_char(put_number(p, end, sa_port(&msg->src)), end, '\n');
	p = put_char(put(p, end, &msg->met), end, '\n');
	p = put_char(put(p, end, msg->req ? &msg->ruri : &msg->reason), end, '\n');
	p = put_char(put_number(p, end, msg->scode), end, '\n');
	(void)re_snprintf(tag, sizeof(tag), "%016llx", msg->tag);
	pl_set_str(&pl, tag);
	p = put(p, end, &pl);
	for (le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;
		p = put(put_char(p, end, '\n'), end, &hdr->name);
		p = put(put_char(p, end, ':'), end, &hdr->val);
	}
	return (size_t)(p - out);
}

static const char *hw_msg_body(const struct sip_msg *msg, size_t *size)
{
	*size = mbuf_get_left(msg->mb);
	return (const char *)mbuf_buf(msg->mb);
}

/* -- stacks -------------------------------------------------------------------------------------------------------- */

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	hw_on_request(((struct hw_stack *)arg)->id, (struct sip_msg *)msg);
	return true;
}

static bool stray_handler(const struct sip_msg *msg, void *arg)
{
	hw_on_stray(((struct hw_stack *)arg)->id, (struct sip_msg *)msg);
	return true;
}

static void trace_handler(bool tx, enum sip_transp tp, const struct sa *src, const struct sa *dst, const uint8_t *pkt,
			  size_t len, void *arg)
{
	char source[64], target[64];

	(void)tx;
	if (!sa_ntop(src, source, sizeof(source)) && !sa_ntop(dst, target, sizeof(target)))
		hw_on_trace(((struct hw_stack *)arg)->id, tp, source, sa_port(src), target, sa_port(dst), pkt, len);
}

static void hw_stack_trace(struct hw_stack *stack)
{
	sip_set_trace_handler(stack->sip, trace_handler);
}

static void hw_stack_close(struct hw_stack *stack)
{
	mem_deref(stack->sip);
	free(stack);
}

static int hw_stack_open(struct hw_stack **stackp, uint64_t id, const char *software)
{
	struct hw_stack *stack = calloc(1, sizeof(*stack));
	int err;

	if (!stack)
		return ENOMEM;
	stack->id = id;
	err = sip_alloc(&stack->sip, NULL, 1024, 1024, 1024, software, NULL, stack);
	if (!err)
		err = sip_listen(NULL, stack->sip, true, request_handler, stack);
	if (!err)
		err = sip_listen(NULL, stack->sip, false, stray_handler, stack);
	if (err)
		hw_stack_close(stack);
	else
		*stackp = stack;
	return err;
}

/* Listen on an IP address; `port` 0 takes a free one; gives the port taken. */
static int hw_stack_listen(struct hw_stack *stack, int transport, const char *host, uint16_t port, uint16_t *bound)
{
	struct sa laddr;
	int err = sa_set_str(&laddr, host, port);

	if (!err)
		err = sip_transp_add(stack->sip, (enum sip_transp)transport, &laddr);
	if (!err)
		err = sip_transp_laddr(stack->sip, &laddr, (enum sip_transp)transport, &laddr);
	if (!err)
		*bound = sa_port(&laddr);
	return err;
}

/* -- server transactions ------------------------------------------------------------------------------------------- */

static void cancel_handler(void *arg)
{
	hw_on_cancel(((struct hw_server *)arg)->id);
}

static void hw_server_free(struct hw_server *server)
{
	mem_deref(server->st);
	mem_deref(server->final);
	mem_deref(server->msg);
	free(server);
}

static int hw_server_open(struct hw_server **serverp, struct hw_stack *stack, struct sip_msg *msg, uint64_t id)
{
	struct hw_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return ENOMEM;
	server->stack = stack;
	server->id = id;
	server->msg = mem_ref(msg);
	err = sip_strans_alloc(&server->st, stack->sip, msg, cancel_handler, server);
	if (err)
		hw_server_free(server);
	else
		*serverp = server;
	return err;
}

/* Reply with status and reason; `text` is further header lines, Content-Length, the empty line and the body. */
static int hw_server_reply(struct hw_server *server, int status, const char *reason, const char *text, size_t size)
{
	struct mbuf *sent = NULL;
	int err;

	if (!server->st)
		return EALREADY;
	err = sip_treplyf(&server->st, &sent, server->stack->sip, server->msg, true, (uint16_t)status, reason, "%b", text,
			  size);
	if (!err && status >= 200 && status < 300)
		server->final = sent;
	else if (!err)
		mem_deref(sent);
	return err;
}

/* Reply once and forget the transaction: a challenge must cost nothing to whom it is sent, or to us (§26.3.2.4). */
static int hw_server_reply_once(struct hw_server *server, int status, const char *reason, const char *text, size_t size)
{
	server->st = mem_deref(server->st);
	return sip_replyf(server->stack->sip, server->msg, (uint16_t)status, reason, "%b", text, size);
}

/* Send the 2xx again. */
static int hw_server_repeat(struct hw_server *server)
{
	struct sip_msg *msg = server->msg;
	struct sa dst;
	struct pl pl;

	if (!server->final)
		return EINVAL;
	server->final->pos = 0;
	sip_reply_addr(&dst, msg, !msg_param_exists(&msg->via.params, "rport", &pl));
	return sip_send(server->stack->sip, msg->sock, msg->tp, &dst, server->final);
}

/* -- client transactions ------------------------------------------------------------------------------------------- */

static void response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct hw_client *client = arg;
	const bool final = err || !msg || msg->scode >= 200;

	hw_on_response(client->id, err, (struct sip_msg *)msg);
	if (final)
		free(client);
}

/*
 * Send a request to an IP address; `text` is everything after the Via: header lines, empty line, body. With `clientp`
 * NULL it is sent once without a transaction (ACK to a 2xx). The client is freed after its final response.
 */
static int hw_request(struct hw_client **clientp, struct hw_stack *stack, uint64_t id, const char *transport,
		      const char *host, uint16_t port, const char *method, const char *uri, const char *text, size_t size)
{
	struct hw_client *client = NULL;
	char params[32];
	struct uri route;
	struct mbuf *mb;
	int err;

	memset(&route, 0, sizeof(route));
	(void)snprintf(params, sizeof(params), ";transport=%s", transport);
	pl_set_str(&route.scheme, "sip");
	pl_set_str(&route.host, host);
	pl_set_str(&route.params, params);
	route.port = port;
	mb = mbuf_alloc(size);
	if (!mb)
		return ENOMEM;
	err = mbuf_write_mem(mb, (const uint8_t *)text, size);
	mb->pos = 0;
	if (!err && clientp) {
		client = calloc(1, sizeof(*client));
		if (!client)
			err = ENOMEM;
	}
	if (!err && client) {
		client->id = id;
		*clientp = client;
		err = sip_request(&client->req, stack->sip, true, method, -1, uri, -1, &route, mb, 0, NULL, response_handler,
				  client);
		if (err)
			free(client);
	}
	else if (!err)
		err = sip_request(NULL, stack->sip, false, method, -1, uri, -1, &route, mb, 0, NULL, NULL, NULL);
	mem_deref(mb);
	return err;
}

/* CANCEL an INVITE (RFC 3261 §9.1: at once, or with its first provisional response). */
static void hw_cancel(struct hw_client *client)
{
	sip_request_cancel(client->req);
}
