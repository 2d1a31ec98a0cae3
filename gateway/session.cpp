// gateway/session.cpp: a client's socket, from the first byte to the last.
#include "gateway/session.hpp"

#include <algorithm>

#include <asio/post.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/admin/console.hpp"
#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/my_errors.hpp"
#include "gateway/pg_errors.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

constexpr int reads_max = 4;  // then other connections get the word
// What a client may send ahead while its login is being looked at.
constexpr std::size_t login_input_max = 128 * 1024;
// Of clients beyond gateway.max_clients so many may log in, and go on if they want the console: an
// administrator comes when it is full.
constexpr std::size_t reserved_for_administrators = 10;
// A client that did nothing for so many sweeps will hardly do something right now.
constexpr std::uint8_t quiet_enough = 2;
// One that has just logged in is about to say something: its program may be slow.
constexpr std::uint8_t quiet_enough_at_first = 10;

}  // namespace

session::session(context& shared,
                 class worker& home,
                 std::uint64_t id,
                 int fd,
                 std::string peer,
                 client_protocol protocol)
    : shared_(shared),
      home_(home),
      rules_(shared.current()),
      stream_(fd, nullptr),
      protocol_(protocol)
{
    identity_.id = id;
    identity_.peer = std::move(peer);
    // Unique among all clients; a PostgreSQL client gets another one, that nobody can guess.
    identity_.pid = static_cast<std::uint32_t>(id);
    front_ = protocol == client_protocol::postgres ? make_pg_front(shared, *rules_)
                                                   : make_my_front(shared, *rules_, identity_);
    home_.sockets().add(fd, *this);
    deadline_ = std::chrono::steady_clock::now() + rules_->settings.gateway.login_timeout;
    shared_.clients.fetch_add(1);
    shared_.counts.worker(home.index()).accepted.add();
}

session::~session()
{
    if (phase_ != phase::finished)
        finish();
}

void session::start()
{
    const auto clients = shared_.clients.load();
    const auto clients_max = rules_->settings.gateway.max_clients;
    over_max_ = clients > clients_max;
    const bool reserved = over_max_ && clients <= clients_max + reserved_for_administrators &&
                          admin::anybody_may_enter(rules_->settings);
    if (!over_max_ || reserved) {
        front_->greet(out());
        flush();
    } else {
        refuse_one_too_many();
    }
}

void session::refuse_one_too_many()
{
    const auto most = std::to_string(rules_->settings.gateway.max_clients);
    refuse(client_error::too_many_clients,
           "too many clients (gateway.max_clients = " + most + ")",
           "Close idle connections or raise gateway.max_clients.");
}

// Of fake clients in tests, and of those that have not chosen a database yet.
const std::shared_ptr<pool::tenant>& client_channel::tenant() const noexcept
{
    static const auto unlimited =
        std::make_shared<pool::tenant>("default", std::make_shared<const pool::tenant_limits>());
    return unlimited;
}

const std::shared_ptr<pool::tenant>& session::tenant() const noexcept
{
    return tenant_.tenant() ? tenant_.shared() : client_channel::tenant();
}

asio::io_context& session::io() noexcept
{
    return home_.io();
}
std::size_t session::worker() const noexcept
{
    return home_.index();
}

void session::on_ready(std::uint32_t events)
{
    if (phase_ == phase::finished)
        return;
    // Said once, perhaps together with the last bytes: from now on a short read is not the end.
    hung_up_ = hung_up_ || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    if ((events & EPOLLOUT) && writing_blocked_) {
        flush();
        if (phase_ == phase::finished)
            return;
        if (!writing_blocked_ && phase_ == phase::serving)
            lane_->on_drained();
    }
    if (phase_ == phase::tls) {
        continue_tls();
        return;
    }
    if (reading_)
        read_some();
    else if (hung_up_)
        gone("client closed the connection");
    else
        unread_ = unread_ || (events & EPOLLIN);
}

void session::read_some()
{
    unread_ = false;
    if (wait_for_buffer())
        return;
    for (int reads = 0; reads < reads_max; ++reads) {
        auto scratch = home_.sockets().scratch();
        if (front_)
            scratch = scratch.first(std::min(scratch.size(), front_->read_max()));
        const auto got = stream_.read(scratch);
        if (got.status == io_status::would_block)
            return;
        if (got.status != io_status::ok) {
            gone("client closed the connection");
            return;
        }
        count_bytes();
        const bool more = hung_up_ || stream_.may_hold_more(got.bytes, scratch.size());
        const auto before = phase_;
        on_bytes(scratch.first(got.bytes));
        if (!reading_)
            unread_ = unread_ || more;
        if (!reading_ || phase_ == phase::finished || phase_ != before)
            break;
        if (!more)
            return;
    }
    if (reading_ && phase_ != phase::finished)
        home_.sockets().again(*this);
}

void session::on_bytes(bytes_view bytes)
{
    switch (phase_) {
        case phase::serving:
            active_ = spoke_ = true;
            lane_->on_data(bytes);
            break;
        case phase::login:
        case phase::checking_password:
            if (login_in_.size() + bytes.size() > login_input_max) {
                gone("too many bytes before the login");
                return;
            }
            login_in_.append(bytes);
            if (phase_ == phase::login)
                run_login();
            break;
        case phase::tls:
        case phase::closing:
        case phase::finished:
            break;
    }
}

void session::set_pid(std::uint32_t pid)
{
    shared_.cancels.remove(identity_.pid, identity_.cancel_key);
    identity_.pid = pid;
    shared_.cancels.add(identity_.pid, identity_.cancel_key, {home_.index(), identity_.id});
}

void session::forget_parameters() noexcept
{
    identity_.parameters.clear();
    identity_.parameters.shrink_to_fit();
}

void session::refuse(client_error code, const std::string& message, const std::string& hint)
{
    log::warn("client refused",
              {{"client", identity_.id},
               {"peer", identity_.peer},
               {"user", identity_.user},
               {"why", message}});
    shared_.counts.worker(home_.index()).refused[static_cast<std::size_t>(code)].add();
    append_error(code, message, hint);
    close("refused");
}

// The connection ends with it.
void session::append_error(client_error code, std::string_view message, std::string_view hint)
{
    if (protocol_ == client_protocol::postgres) {
        append_pg_error(out(), code, true, message, hint);
        return;
    }
    // Said to an idle client it stands as the answer to its next command, which drivers understand.
    const std::uint8_t sequence = front_                     ? front_->sequence()
                                  : phase_ == phase::serving ? std::uint8_t{1}
                                                             : identity_.mysql->sequence;
    append_my_error(out(), sequence, code, message, hint);
}

void session::send(bytes_view bytes)
{
    if (phase_ == phase::closing || phase_ == phase::finished)
        return;
    after_write(stream_.send(bytes));
}

void session::flush()
{
    if (phase_ != phase::finished)
        after_write(stream_.flush());
}

// Bytes that wait for this client count for its tenant's max_buffer.
void session::count_unsent(std::int64_t now) noexcept
{
    if (auto* const tenant = tenant_.tenant())
        tenant->add_buffered(now - counted_unsent_);
    counted_unsent_ = now;
}

// Its tenant has too many bytes in flight: what has begun goes on, nothing new begins.
bool session::wait_for_buffer()
{
    const auto* const tenant = tenant_.tenant();
    if (!tenant || !tenant->over_buffer() || phase_ != phase::serving || hung_up_ ||
        !lane_->quiescent()) {
        end_hold();
        return false;
    }
    // Whoever has said nothing is idle, not held back: its next bytes come with an event.
    if (!held() && stream_.has_unread()) {
        held_since_ = home_.sockets().time();
        if (place_.traffic)
            place_.traffic->waiting.add(1);
        home_.deadlines().add(*this);
    }
    unread_ = held();
    return true;
}

void session::end_hold() noexcept
{
    if (!held())
        return;
    held_since_ = {};
    if (place_.traffic)
        place_.traffic->waiting.add(-1);
    home_.deadlines().remove(*this);
}

void session::sweep(std::chrono::steady_clock::time_point)
{
    if (tenant_.tenant() && tenant_.tenant()->over_buffer())
        return;
    end_hold();
    if (reading_ && unread_)
        home_.sockets().again(*this);
}

void session::after_write(io_status status)
{
    if (const auto now = static_cast<std::int64_t>(stream_.unsent().size());
        now != counted_unsent_ && tenant_.tenant())
        count_unsent(now);
    count_bytes();
    if (status == io_status::would_block) {
        if (!writing_blocked_)
            home_.sockets().want_write(stream_.fd(), *this, true);
        writing_blocked_ = true;
        return;
    }
    if (writing_blocked_) {
        writing_blocked_ = false;
        home_.sockets().want_write(stream_.fd(), *this, false);
    }
    if (status != io_status::ok) {
        // Noticed by the next read; destroying now could pull the lane from under its own feet.
        stream_.unsent().clear();
        reading_ = true;
        home_.sockets().again(*this);
        return;
    }
    if (phase_ == phase::closing)
        gone("closed");
}

void session::set_reading(bool on)
{
    // A request that waited for its backend turns reading off and on: mostly nothing came since.
    if (on && !reading_ && unread_)
        home_.sockets().again(*this);
    reading_ = on;
}

void session::close(std::string_view reason)
{
    if (phase_ == phase::closing || phase_ == phase::finished)
        return;
    log::debug("client closing", {{"client", identity_.id}, {"why", reason}});
    phase_ = phase::closing;
    deadline_ = std::chrono::steady_clock::now() + closing_timeout;
    reading_ = false;
    flush();
}

// The end: what the lane holds is given back now, the object goes when its calls have returned.
void session::gone(std::string_view reason)
{
    if (phase_ == phase::finished)
        return;
    log::debug("client gone", {{"client", identity_.id}, {"why", reason}});
    finish();
    home_.remove(identity_.id);
}

void session::finish()
{
    count_unsent(0);
    phase_ = phase::finished;
    home_.sockets().remove(stream_.fd(), *this);
    if (lane_)
        lane_->on_client_gone();
    uncount_client();
    if (registered_)
        shared_.cancels.remove(identity_.pid, identity_.cancel_key);
    if (SSL* ssl = stream_.ssl()) {
        SSL_shutdown(ssl);
        SSL_free(ssl);
    }
    ::close(stream_.fd());
    shared_.clients.fetch_sub(1);
}

// From the first byte of the connection on, those of its login with them.
void session::count_bytes() noexcept
{
    if (!place_.traffic)
        return;
    place_.traffic->received.add(stream_.received() - std::exchange(received_, stream_.received()));
    place_.traffic->sent.add(stream_.sent() - std::exchange(sent_, stream_.sent()));
}

void session::count_client(statistics::pool_entry& pool)
{
    place_ = shared_.counts.client(pool, tenant()->name(), home_.index());
    place_.who = &identity_;
    place_.traffic->clients.add(1);
    place_.traffic->logins.add();
}

void session::uncount_client() noexcept
{
    count_bytes();
    end_hold();
    if (place_.traffic)
        place_.traffic->clients.add(-1);
    place_ = {};
}

void session::cancel(std::function<void()> done)
{
    if (phase_ == phase::serving)
        lane_->on_cancel(std::move(done));
    else if (done)
        done();
}

void session::drain()
{
    leaving_ = true;
    if (phase_ == phase::serving)
        lane_->request_drain();
    else if (phase_ != phase::closing && phase_ != phase::finished)
        close("shutting down");
}

void session::shut_down()
{
    end_at_once({}, "shut down");
}

// What it runs is cancelled and rolled back, as for any client that leaves.
void session::kill_by_administrator()
{
    if (phase_ == phase::finished)
        return;
    log::info(
        "client killed by an administrator",
        {{"client", identity_.id}, {"user", identity_.user}, {"database", identity_.database}});
    end_at_once("terminating connection due to administrator command", "killed");
}

void session::end_at_once(std::string_view message, std::string_view reason)
{
    if (phase_ == phase::finished)
        return;
    if (phase_ == phase::serving) {
        // In the middle of a MySQL reply its number could not be right.
        if (protocol_ == client_protocol::postgres || lane_->quiescent())
            append_error(client_error::shutting_down, message);
        flush();
    }
    gone(reason);
}

void session::sweep(std::chrono::steady_clock::time_point now, duration idle_max, bool leave)
{
    if (phase_ == phase::serving) {
        const bool busy = active_ || held() || !lane_->quiescent();
        active_ = false;
        if (busy)
            quiet_sweeps_ = 0;
        else if (quiet_sweeps_ < quiet_enough_at_first)
            ++quiet_sweeps_;
        if (leave && quiet_sweeps_ >= (spoke_ ? quiet_enough : quiet_enough_at_first))
            drain();
        else if (busy || idle_max.count() == 0) {
            deadline_ = now + idle_max;
        } else if (now >= deadline_) {
            append_error(client_error::client_idle_timeout);
            close("client_idle_timeout");
        }
        return;
    }
    if (phase_ == phase::finished || now < deadline_)
        return;
    if (phase_ == phase::closing) {
        gone("did not take its last bytes in time");
        return;
    }
    log::warn("login timed out", {{"client", identity_.id}, {"peer", identity_.peer}});
    gone("login_timeout");
}

}  // namespace sluice::gateway
