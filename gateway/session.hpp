// gateway/session.hpp: one client's connection: its socket, its login, then its lane. What the
// protocols differ in is in `front` (login) and `lane` (all after it).
//
//   accepted -> (TLS) -> login -> serving -> closing -> destroyed by its worker
//
// Layer: gateway. Thread: its worker's. Owned by its worker.
// Bounds: login by login_timeout and the login machine's limits; closing by closing_timeout.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "drivers/io/poller.hpp"
#include "drivers/io/transport.hpp"
#include "gateway/client_limits.hpp"
#include "gateway/config/config.hpp"
#include "gateway/deadlines/sweep_list.hpp"
#include "gateway/errors.hpp"
#include "gateway/front.hpp"
#include "gateway/lane.hpp"
#include "gateway/tenants/table.hpp"

namespace sluice::gateway {

struct context;
class worker;
struct generation;

class session final : public client_channel, private pollable, private swept {
public:
    session(context& shared,
            class worker& home,
            std::uint64_t id,
            int fd,
            std::string peer,
            client_protocol protocol);
    ~session() override;

    void start();
    void cancel(std::function<void()> done);
    // At the next moment between transactions.
    void drain();
    // KILL by a client of this user; `done` is called on some thread.
    void killed_by(const std::string& user,
                   kill_scope scope,
                   std::function<void(kill_outcome)> done);
    bool leaving() const noexcept { return leaving_; }
    // The generation by which the client got its database.
    std::uint64_t entered_by() const noexcept { return entered_by_; }
    void shut_down();
    void kill_by_administrator();
    // `idle_max`: gateway.client_idle_timeout.
    // `leave`: the gateway is drained, and who has been idle for a moment is asked to leave.
    void sweep(std::chrono::steady_clock::time_point now, duration idle_max, bool leave);

    void describe(statistics::client_info& into) const;
    void describe_ends(statistics::client_info& into) const;  // of its socket: asks the kernel

    // client_channel
    asio::io_context& io() noexcept override;
    std::size_t worker() const noexcept override;
    byte_queue& out() noexcept override { return stream_.unsent(); }
    void flush() override;
    void send(bytes_view bytes) override;
    std::size_t unsent() const noexcept override { return stream_.unsent().size(); }
    void set_reading(bool on) override;
    void close(std::string_view reason) override;
    const client_identity& identity() const noexcept override { return identity_; }
    const std::shared_ptr<pool::tenant>& tenant() const noexcept override;
    const statistics::place& counted_in() const noexcept override { return place_; }
    void set_pid(std::uint32_t pid) override;
    void forget_parameters() noexcept override;
    void change_user(bytes_view input) override;  // session_mysql.cpp, with what follows
    bool change_database(std::string_view name, std::uint8_t sequence, bytes_view behind) override;
    void kill(std::uint32_t id, kill_scope scope, std::function<void(kill_outcome)> done) override;

private:
    // How long a client may take to accept its last bytes.
    static constexpr std::chrono::seconds closing_timeout{5};

    enum class phase : std::uint8_t { login, tls, checking_password, serving, closing, finished };

    void on_ready(std::uint32_t events) override;
    void read_some();
    void on_bytes(bytes_view bytes);
    void run_login();
    void begin_tls();
    void continue_tls();
    void check_password();
    void begin_serving();
    void register_for_cancels();
    lane& retire_lane();
    void die(kill_scope scope, std::function<void()> done);
    bool choose_default_database();
    void pass_cancel_on();
    void refuse(client_error code, const std::string& message, const std::string& hint);
    void append_error(client_error code, std::string_view message = {}, std::string_view hint = {});
    void end_at_once(std::string_view message, std::string_view reason);
    void gone(std::string_view reason);
    void finish();
    void after_write(io_status status);
    void count_unsent(std::int64_t now) noexcept;
    bool wait_for_buffer();
    bool held() const noexcept { return held_since_ != std::chrono::steady_clock::time_point{}; }
    void end_hold() noexcept;
    void sweep(std::chrono::steady_clock::time_point now) override;  // swept: while it does
    bool choose_lane();  // choose_lane.cpp, with what follows
    bool choose_console();
    void refuse_one_too_many();
    bool choose_postgres(const database& entry, const user* who);
    bool choose_mysql(const database& entry, const user* who);
    bool choose_sqlite();
    bool refuse_engine(const std::string& engine, const std::string& protocol);
    bool enter(const database& entry, const user* who);
    bool enter_tenant();
    void count_client(statistics::pool_entry& pool);
    void uncount_client() noexcept;
    void count_bytes() noexcept;

    context& shared_;
    class worker& home_;
    // What was in effect when the login began; null once it is over.
    std::shared_ptr<const generation> rules_;
    transport stream_;
    const client_protocol protocol_;
    phase phase_ = phase::login;
    bool reading_ = true;
    bool unread_ = false;  // bytes may wait in the socket, and no event will say so again
    bool writing_blocked_ = false;
    bool hung_up_ = false;   // the client has closed its side; its last bytes may wait here
    bool over_max_ = false;  // gateway.max_clients were there already: the console alone is left
    bool registered_ = false;
    bool active_ = false;  // bytes came since the last sweep
    bool spoke_ = false;   // since it has logged in
    bool leaving_ = false;
    std::uint8_t quiet_sweeps_ = 0;  // in a row without anything to do
    client_limits::ticket counted_;
    tenant_ticket tenant_;
    std::int64_t counted_unsent_ = 0;  // bytes that its tenant knows of
    std::chrono::steady_clock::time_point deadline_;
    // Its next request waits in the socket because of max_buffer, since then; zero: it does not.
    std::chrono::steady_clock::time_point held_since_{};
    std::unique_ptr<front> front_;  // during the login
    byte_queue login_in_;
    std::unique_ptr<lane> lane_;
    std::uint64_t entered_by_ = 0;
    std::uint32_t lane_number_ = 0;
    const std::chrono::steady_clock::time_point connected_ = std::chrono::steady_clock::now();
    std::string application_;
    statistics::place place_;     // of its database; nowhere before there is one
    std::uint64_t received_ = 0;  // bytes of stream_ that are counted
    std::uint64_t sent_ = 0;
    client_identity identity_;
};

}  // namespace sluice::gateway
