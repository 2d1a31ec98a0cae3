// gateway/relay/link.cpp: reading, writing, cancelling and losing a server's connection.
#include "gateway/relay/link.hpp"

#include <asio/co_spawn.hpp>

#include "gateway/context.hpp"
#include "gateway/listener.hpp"
#include "gateway/log/log.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

constexpr int reads_max = 4;  // then other connections get the word
// Links are few and busy: their rewritten messages need no allocation.
constexpr std::size_t send_buffer = 16 * 1024;

}  // namespace

link::link(context& shared, pool::shared_pool& pool, int fd, SSL* ssl)
    : shared_(shared), pool_(pool), stream_(fd, ssl)
{
    stream_.unsent().keep(send_buffer);
}

link::~link() = default;

void link::leave_poller() noexcept
{
    if (poller_)
        poller_->remove(stream_.fd(), *this);
    poller_ = nullptr;
}

void link::depart()
{
    leave_poller();
    deadline_.reset();
}

void link::arrive(std::size_t worker)
{
    poller_ = &shared_.workers[worker]->sockets();
    shard_ = &pool_.at(worker);
    poller_->add(stream_.fd(), *this);
}

void link::send(bytes_view bytes)
{
    if (dead_)
        return;
    if (pool_.finds_its_size())
        note_begun();
    const auto status = stream_.send(bytes);
    if (status == io_status::would_block && !writing_blocked_) {
        writing_blocked_ = true;
        poller_->want_write(stream_.fd(), *this, true);
    } else if (status == io_status::failed || status == io_status::closed) {
        // What the server said before it closed is still to be read: the loop reports the end.
        poller_->again(*this);
    }
}

void link::flush()
{
    send({});
}

void link::on_ready(std::uint32_t events)
{
    if (dead_)
        return;
    // Said once, perhaps together with the last bytes: from now on a short read is not the end.
    hung_up_ = hung_up_ || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    if ((events & EPOLLOUT) && writing_blocked_ && stream_.flush() == io_status::ok) {
        writing_blocked_ = false;
        poller_->want_write(stream_.fd(), *this, false);
        const std::weak_ptr<bool> alive = alive_;
        on_drained();
        if (alive.expired())
            return;
    }
    if (!dead_ && !paused_ && poller_)
        read_some();
}

void link::read_some()
{
    for (int reads = 0; reads < reads_max; ++reads) {
        const auto scratch = poller_->scratch();
        const auto got = stream_.read(scratch);
        if (got.status == io_status::would_block) {
            note_answered();
            settled();
            return;
        }
        if (got.status != io_status::ok) {
            lost("the server closed the connection");
            return;
        }
        if (!consume(scratch.first(got.bytes)))
            return;
        if (paused_ || (!hung_up_ && !stream_.may_hold_more(got.bytes, scratch.size()))) {
            note_answered();
            settled();
            return;
        }
    }
    poller_->again(*this);
    note_answered();
    settled();
}

void link::note_begun() noexcept
{
    if (timing_ || times_itself() || nothing_owed())
        return;
    timing_ = true;
    begun_ = poller_->turn_time();
}

void link::note_answered()
{
    if (!timing_ || !nothing_owed() || dead_)
        return;
    timing_ = false;
    if (!times_itself() && poller_)
        pool_.sample(poller_->turn_time() - begun_, poller_->turn_time());
}

void link::resume_reading()
{
    paused_ = false;
    poller_->again(*this);
}

void link::cancel(std::function<void()> done)
{
    ++cancels_;
    std::weak_ptr<bool> alive = alive_;
    auto on_done = [this, alive = std::move(alive), done = std::move(done)](std::exception_ptr,
                                                                            std::error_code) {
        if (alive.expired()) {
            if (done)
                done();
            return;
        }
        --cancels_;
        if (done)
            done();
        if (!dead_ && recovering_ && nothing_owed())
            step_recovery();
    };
    asio::co_spawn(shard_->io(), send_cancel(), std::move(on_done));
}

void link::recovered()
{
    recovering_ = false;
    deadline_.reset();
    shard_->give_back(*this);
}

void link::start_deadline(std::chrono::milliseconds timeout, std::string why)
{
    deadline_ = std::make_unique<asio::steady_timer>(shard_->io(), timeout);
    deadline_->async_wait([this, why = std::move(why)](const asio::error_code& ec) {
        if (!ec && !dead_)
            lost(why);
    });
}

void link::describe(statistics::server_info& into) const
{
    using statistics::server_state;
    into.id = server_id();
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(stream_.fd(), reinterpret_cast<sockaddr*>(&peer), &size) == 0)
        into.address = peer_text(peer);
    size = sizeof peer;
    if (::getsockname(stream_.fd(), reinterpret_cast<sockaddr*>(&peer), &size) == 0)
        into.local = peer_text(peer);
    into.worn_out = pool_.paused() || std::chrono::steady_clock::now() >= book.expires;
    into.tls = stream_.ssl() != nullptr;
    into.opened = book.opened;
    into.since = std::max(book.opened, book.idle_since);
    if (leased())
        into.state = server_state::active;
    else if (recovering_)
        into.state = server_state::cleaning;
    else
        into.state = book.probing ? server_state::testing : server_state::idle;
    describe_session(into);
}

void link::give_up(const std::string& why)
{
    if (dead_)
        return;
    dead_ = true;
    log::info("backend closed", {{"pool", pool_.name()}, {"pid", server_id()}, {"why", why}});
    shard_->discard(*this);
}

void link::lost(const std::string& cause)
{
    if (dead_)
        return;
    dead_ = true;
    deadline_.reset();
    log::warn("backend lost", {{"pool", pool_.name()}, {"pid", server_id()}, {"why", cause}});
    on_lost(cause);
    shard_->discard(*this);
}

}  // namespace sluice::gateway
