// drivers/mysql/channel.cpp: waits and bytes of a connection that is being opened.
#include "drivers/mysql/channel.hpp"

#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>

#include "proto/mysql/messages.hpp"

namespace sluice::mysql {
namespace {

constexpr auto as_result = asio::experimental::as_tuple(asio::use_awaitable);

constexpr std::string_view closed_text = "the server closed the connection";
constexpr std::string_view late_text = "no answer in time";

answer lost(std::string why)
{
    answer made;
    made.lost = true;
    made.text = std::move(why);
    return made;
}

answer read_answer(bytes_view payload, std::uint32_t capabilities)
{
    answer made;
    if (!payload.empty() && payload[0] == err_byte) {
        const auto error = parse_err(payload);
        if (!error || error->number == 0)
            return lost("the server sent a malformed error");
        made.number = error->number;
        made.text = error->text;
        return made;
    }
    if (payload.empty() || payload[0] != ok_byte)
        return lost("the server sent rows, or asked for a file, where it should not");
    const auto ok = parse_ok(payload, capabilities);
    if (!ok || (ok->status & status::more_results))
        return lost("the server sent a malformed OK");
    made.status = ok->status;
    auto changes = ok->changes;
    while (const auto change = changes.next()) {
        if (change->type != session_track::system_variable)
            continue;
        variable_list list(change->data);
        while (const auto one = list.next())
            made.variables.emplace_back(one->name, one->value);
    }
    return made;
}

}  // namespace

void channel::set_deadline(clock::time_point until)
{
    late_ = until <= clock::now();  // the timer's word may come after a server's quick one
    timer_.expires_at(until);
    timer_.async_wait([self = shared_from_this(), until](std::error_code ec) {
        if (ec || self->timer_.expiry() != until)
            return;
        self->late_ = true;
        // Not closed: the descriptor's number must stay ours while the coroutine may use it.
        self->socket_.cancel(ec);
    });
}

std::string channel::no_answer() const
{
    return std::string(late_ ? late_text : closed_text);
}

asio::awaitable<bool> channel::wait(socket::wait_type what)
{
    if (late_)
        co_return false;
    auto [ec] = co_await socket_.async_wait(what, as_result);
    co_return !ec && !late_;
}

asio::awaitable<std::string> channel::connect(const server_address& to)
{
    if (late_)
        co_return no_answer();
    const asio::generic::stream_protocol::endpoint server(&to.bytes, to.size, 0);
    std::error_code failed;
    socket_.close(failed);
    socket_.open(server.protocol(), failed);
    if (failed)
        co_return failed.message();
    auto [ec] = co_await socket_.async_connect(server, as_result);
    if (late_)
        co_return no_answer();
    if (!ec)
        socket_.native_non_blocking(true, ec);
    if (ec)
        co_return ec.message();
    const int fd = socket_.native_handle();
    if (to.bytes.ss_family != AF_UNIX) {
        // Requests are written whole; a peer that went away without a word is found out.
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    stream_ = transport(fd, nullptr);
    co_return std::string();
}

asio::awaitable<std::string> channel::shake_hands(const tls_context& tls, const std::string& host)
{
    ssl_ = tls.new_client(socket_.native_handle(), host);
    if (!ssl_)
        co_return std::string("TLS cannot be started");
    for (;;) {
        ERR_clear_error();
        const int done = SSL_do_handshake(ssl_.get());
        if (done == 1) {
            stream_.set_ssl(ssl_.get());
            co_return std::string();
        }
        const int why = SSL_get_error(ssl_.get(), done);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            co_return handshake_error_text(ssl_.get());
        const auto direction = why == SSL_ERROR_WANT_READ ? socket::wait_read : socket::wait_write;
        if (!co_await wait(direction))
            co_return no_answer();
    }
}

asio::awaitable<std::string> channel::send()
{
    stream_.unsent().append(out.readable());
    out.clear();
    for (;;) {
        if (late_)
            co_return no_answer();
        const auto status = stream_.flush();
        if (status == io_status::ok)
            co_return std::string();
        if (status != io_status::would_block)
            co_return std::string(closed_text);
        if (!co_await wait(socket::wait_write))
            co_return no_answer();
    }
}

asio::awaitable<std::string> channel::receive()
{
    constexpr std::size_t most = 4096;
    for (;;) {
        if (late_)
            co_return no_answer();
        // Straight into the queue: a buffer here would be part of the coroutine's frame.
        std::byte* const to = in.grow(most);
        const auto got = stream_.read({to, most});
        in.shrink(most - (got.status == io_status::ok ? got.bytes : 0));
        if (got.status == io_status::ok)
            co_return std::string();
        if (got.status != io_status::would_block)
            co_return std::string(closed_text);
        if (!co_await wait(socket::wait_read))
            co_return no_answer();
    }
}

asio::awaitable<answer> channel::run(std::string_view sql, std::uint32_t capabilities)
{
    std::uint8_t sequence = 0;
    {
        packet_writer packet(out, sequence);
        packet.u8(static_cast<std::uint8_t>(command::query));
        packet.text(sql);
    }
    auto problem = co_await send();
    while (problem.empty()) {
        const auto found = next_message(in.readable(), server_packet_max);
        if (!found)
            co_return lost("the server sent a malformed packet");
        if (found->missing == 0) {
            const auto& reply = found->found;
            if (reply.sequence != sequence || reply.packets.size() != in.size())
                co_return lost("the server's packets are out of order");
            auto made = read_answer(reply.payload(), capabilities);
            in.clear();
            co_return made;
        }
        problem = co_await receive();
    }
    co_return lost(std::move(problem));
}

descriptor channel::release()
{
    timer_.cancel();
    std::error_code failed;
    const int fd = socket_.release(failed);
    return descriptor(failed ? -1 : fd);
}

}  // namespace sluice::mysql
