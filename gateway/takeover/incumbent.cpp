// gateway/takeover/incumbent.cpp: the running process's side of a takeover.
#include "gateway/takeover/incumbent.hpp"

#include <cerrno>
#include <cstring>

#include <asio/post.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/log/log.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway::takeover {

incumbent::incumbent(context& shared, asio::io_context& first, hooks calls)
    : shared_(shared),
      io_(first),
      calls_(std::move(calls)),
      door_(first),
      peer_(first),
      patience_(first)
{
}

incumbent::~incumbent()
{
    stop();
}

void incumbent::listen(const std::string& path, int inherited)
{
    path_ = path;
    const int fd = inherited >= 0 ? inherited : listen_at(path);
    if (fd < 0) {
        log::warn("no process can take over from this one: no control socket",
                  {{"path", path},
                   {"why", std::strerror(errno)},
                   {"hint", "set gateway.control_socket to a path in a folder of one's own"}});
        path_.clear();
        return;
    }
    door_.assign(fd);
    accept();
}

void incumbent::stop()
{
    asio::error_code ignored;
    patience_.cancel();
    if (door_.is_open()) {
        door_.close(ignored);
        ::unlink(path_.c_str());
    }
    if (peer_.is_open())
        peer_.close(ignored);
}

void incumbent::refuse()
{
    asio::error_code ignored;
    if (stage_ == stage::leaving || !door_.is_open())
        return;
    door_.close(ignored);
    ::unlink(path_.c_str());
}

void incumbent::accept()
{
    door_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& ec) {
        if (ec || !door_.is_open())
            return;
        const int fd =
            ::accept4(door_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            adopt(fd);
        accept();
    });
}

void incumbent::adopt(int fd)
{
    if (!is_trusted(fd)) {
        log::warn("control socket: a process of another user was turned away", {{"path", path_}});
        ::close(fd);
    } else if (peer_.is_open()) {
        message no{"refused", {}};
        send_packet(fd, no.add("why", "another process is taking over"));
        ::close(fd);
    } else {
        peer_.assign(fd);
        ++conversation_;
        patience_.expires_after(lend_most);
        patience_.async_wait([this](const asio::error_code& ec) {
            if (!ec && stage_ != stage::leaving)
                peer_failed("it took too long");
        });
        wait_for_packet();
    }
}

void incumbent::wait_for_packet()
{
    peer_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [this, which = conversation_](const asio::error_code& ec) {
                         if (ec || !peer_.is_open() || which != conversation_)
                             return;
                         on_packet(receive_packet(peer_.native_handle()));
                         if (peer_.is_open() && which == conversation_)
                             wait_for_packet();
                     });
}

void incumbent::on_packet(received got)
{
    for (const int fd : got.descriptors)
        ::close(fd);
    if (got.over)
        return peer_failed("it has closed the connection");
    if (!got.what)
        return peer_failed("it does not speak our language");
    const auto& what = *got.what;
    if (what.verb == "takeover" && stage_ == stage::listening) {
        if (what.number("version") != protocol_version)
            return answer("its version of the protocol is another one");
        successor_ = what.number("pid");
        log::info("another process takes over", {{"pid", successor_}});
        lend();
    } else if (what.verb == "ready" && stage_ == stage::lending) {
        leave();
    } else if (what.verb == "cancel" && stage_ == stage::leaving) {
        on_cancel(what);
    } else if (what.verb == "kill" && stage_ == stage::leaving) {
        on_kill(what);
    } else {
        peer_failed("it said \"" + what.verb.substr(0, 40) + "\" out of turn");
    }
}

// A checkpoint may be under way in a SQLite file: not waited for here.
void incumbent::lend()
{
    if (calls_.busy())
        return answer("the gateway is shutting down");
    stage_ = stage::preparing;
    asio::post(shared_.blocking, [this, which = conversation_] {
        auto why_not = shared_.files.share();
        asio::post(io_, [this, which, why_not = std::move(why_not)] {
            if (which == conversation_ && stage_ == stage::preparing)
                answer(why_not);
            else if (why_not.empty())
                shared_.files.stop_sharing();
        });
    });
}

void incumbent::answer(const std::string& why_not)
{
    if (!why_not.empty()) {
        message no{"refused", {}};
        send_packet(peer_.native_handle(), no.add("why", why_not));
        log::warn("takeover refused", {{"why", why_not}});
        stage_ = stage::listening;
        return close_peer();
    }
    message offer{"sockets", {}};
    std::vector<int> descriptors;
    std::uint64_t ids = 0;
    for (const auto& each : shared_.workers)
        ids = std::max(ids, each->ids_used());
    offer.add("ids", ids)
        .add("mysql_version", shared_.mysql_version.known() ? shared_.mysql_version.text() : "");
    auto all = calls_.sockets();
    all.push_back({door_.native_handle(), "control", "unix:" + path_});
    for (const auto& each : all) {
        offer.add("socket", each.name + " " + each.address);
        descriptors.push_back(each.fd);
    }
    if (!send_packet(peer_.native_handle(), offer, descriptors))
        return peer_failed(std::string("the sockets cannot be sent: ") + std::strerror(errno));
    stage_ = stage::lending;
}

void incumbent::leave()
{
    stage_ = stage::leaving;
    patience_.cancel();
    log::info("the other process is ready: no new clients here",
              {{"clients", shared_.clients.load()}});
    calls_.give_up(successor_);
    asio::error_code ignored;
    door_.close(ignored);
    send_packet(peer_.native_handle(), {"go", {}});
}

void incumbent::on_cancel(const message& what)
{
    const auto ref = what.number("ref");
    const auto pid = static_cast<std::uint32_t>(what.number("pid"));
    const auto key = static_cast<std::uint32_t>(what.number("key"));
    const auto target = shared_.cancels.find(pid, key);
    auto passed_on = [this, ref] { asio::post(io_, [this, ref] { done(ref, 1); }); };
    if (target)
        shared_.workers[target->worker]->post_cancel(target->client, std::move(passed_on));
    else if (!shared_.takeover.cancel(pid, key, std::move(passed_on)))
        done(ref, 0);
}

void incumbent::on_kill(const message& what)
{
    const auto id = what.number("id");
    const auto scope = what.text("scope") == "query" ? kill_scope::query : kill_scope::connection;
    worker& where = *shared_.workers[id % shared_.workers.size()];
    const auto answer = [this, ref = what.number("ref")](kill_outcome how) {
        asio::post(io_, [this, ref, how] { done(ref, static_cast<int>(how)); });
    };
    const auto user = what.text("user");
    where.post_kill(id, scope, user, [this, id, scope, user, answer](kill_outcome how) {
        // There may be a process before this one, too.
        if (how != kill_outcome::unknown_id || !shared_.takeover.kill(id, scope, user, answer))
            answer(how);
    });
}

void incumbent::done(std::uint64_t ref, int outcome)
{
    if (!peer_.is_open())
        return;
    message answer{"done", {}};
    answer.add("ref", ref).add("outcome", static_cast<std::uint64_t>(outcome));
    send_packet(peer_.native_handle(), answer);
}

void incumbent::peer_failed(const std::string& why)
{
    if (stage_ == stage::leaving) {
        log::info("the process that took over is not connected any more", {{"why", why}});
        return close_peer();
    }
    if (stage_ == stage::lending || stage_ == stage::preparing) {
        log::warn("the takeover failed, this process goes on", {{"why", why}});
        if (stage_ == stage::lending)
            shared_.files.stop_sharing();
    }
    stage_ = stage::listening;
    close_peer();
}

void incumbent::close_peer()
{
    asio::error_code ignored;
    patience_.cancel();
    peer_.close(ignored);
    ++conversation_;
}

}  // namespace sluice::gateway::takeover
