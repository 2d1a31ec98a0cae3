// gateway/takeover/successor.cpp: the new process's side of a takeover.
#include "gateway/takeover/successor.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <asio/post.hpp>
#include <poll.h>
#include <unistd.h>

#include "gateway/log/log.hpp"

namespace sluice::gateway::takeover {
namespace {

constexpr std::chrono::seconds answer_timeout{30};

// One packet, waited for. `over` when none comes in time.
received wait_for_packet(int fd)
{
    pollfd wanted{fd, POLLIN, 0};
    const auto most = std::chrono::milliseconds(answer_timeout).count();
    int ready = 0;
    do {
        ready = ::poll(&wanted, 1, static_cast<int>(most));
    } while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return receive_packet(fd);
    received none;
    none.over = true;
    return none;
}

}  // namespace

successor::~successor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

successor::inheritance successor::begin(const std::string& path)
{
    inheritance got;
    fd_ = connect_to(path);
    if (fd_ < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            log::info("nobody to take over from", {{"control_socket", path}});
        else
            got.error =
                "cannot connect to the control socket " + path + ": " + std::strerror(errno);
        return got;
    }
    // Whoever else can make that path could lend us sockets of his own.
    if (!is_trusted(fd_)) {
        got.error = "the control socket " + path + " is another user's";
        return got;
    }
    message hello{"takeover", {}};
    hello.add("version", protocol_version).add("pid", static_cast<std::uint64_t>(::getpid()));
    auto reply = send_packet(fd_, hello) ? wait_for_packet(fd_) : received{};
    if (!reply.what) {
        for (const int fd : reply.descriptors)
            ::close(fd);
        // It was killed just now: its addresses are free.
        log::warn("the process to take over from is gone", {{"control_socket", path}});
        ::close(std::exchange(fd_, -1));
        return got;
    }
    const auto& what = *reply.what;
    std::size_t next = 0;
    for (const auto& [name, value] : what.values) {
        if (name != "socket" || next >= reply.descriptors.size())
            continue;
        const auto space = value.find(' ');
        got.sockets.push_back({reply.descriptors[next++],
                               value.substr(0, space),
                               space == std::string::npos ? "" : value.substr(space + 1)});
    }
    for (; next < reply.descriptors.size(); ++next)
        ::close(reply.descriptors[next]);
    if (what.verb != "sockets") {
        close_sockets(got.sockets);
        const auto why = what.text("why");
        got.error = "the running process refuses: " + (why.empty() ? "\"" + what.verb + "\"" : why);
        return got;
    }
    got.took_over = true;
    got.ids = what.number("ids");
    got.mysql_version = what.text("mysql_version");
    return got;
}

void successor::ready()
{
    if (fd_ < 0)
        return;
    const auto reply = send_packet(fd_, {"ready", {}}) ? wait_for_packet(fd_) : received{};
    if (reply.what && reply.what->verb == "go")
        return;
    log::warn("the process that was taken over is gone: clients that it had are lost");
    ::close(std::exchange(fd_, -1));
}

void successor::attach(asio::io_context& loop)
{
    if (fd_ < 0)
        return;
    loop_ = &loop;
    peer_ = std::make_unique<asio::posix::stream_descriptor>(loop, std::exchange(fd_, -1));
    peer_->non_blocking(true);
    there_.store(true);
    wait_for_answer();
}

void successor::wait_for_answer()
{
    peer_->async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const asio::error_code& ec) {
                          if (ec || !peer_->is_open())
                              return;
                          const auto got = receive_packet(peer_->native_handle());
                          for (const int fd : got.descriptors)
                              ::close(fd);
                          if (got.over)
                              return lost();
                          if (got.what && got.what->verb == "done") {
                              const auto found = asked_.extract(got.what->number("ref"));
                              if (!found.empty())
                                  found.mapped()(got.what->number("outcome"));
                          }
                          wait_for_answer();
                      });
}

void successor::lost()
{
    log::info("the process that was taken over has ended");
    stop();
}

void successor::stop()
{
    there_.store(false);
    asio::error_code ignored;
    if (peer_ && peer_->is_open())
        peer_->close(ignored);
    for (auto& [ref, done] : std::exchange(asked_, {}))
        done(static_cast<std::uint64_t>(kill_outcome::unknown_id));
}

bool successor::ask(message what, answer done)
{
    if (!there_.load())
        return false;
    asio::post(*loop_, [this, what = std::move(what), done = std::move(done)]() mutable {
        const bool possible = there_.load() && asked_.size() < requests_max;
        const auto ref = next_++;
        what.add("ref", ref);
        if (possible && send_packet(peer_->native_handle(), what))
            asked_.emplace(ref, std::move(done));
        else
            done(static_cast<std::uint64_t>(kill_outcome::unknown_id));
    });
    return true;
}

bool successor::cancel(std::uint32_t pid, std::uint32_t key, std::function<void()> done)
{
    message what{"cancel", {}};
    what.add("pid", std::uint64_t{pid}).add("key", std::uint64_t{key});
    return ask(std::move(what), [done = std::move(done)](std::uint64_t) { done(); });
}

bool successor::kill(std::uint64_t id,
                     kill_scope scope,
                     const std::string& user,
                     std::function<void(kill_outcome)> done)
{
    message what{"kill", {}};
    what.add("id", id)
        .add("scope", scope == kill_scope::query ? "query" : "connection")
        .add("user", user);
    return ask(std::move(what), [done = std::move(done)](std::uint64_t outcome) {
        const auto most = static_cast<std::uint64_t>(kill_outcome::not_the_owner);
        done(outcome <= most ? static_cast<kill_outcome>(outcome) : kill_outcome::unknown_id);
    });
}

}  // namespace sluice::gateway::takeover
