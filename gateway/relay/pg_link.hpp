// gateway/relay/pg_link.hpp: one connection to a PostgreSQL server, as the relay uses it.
//
// libpq opened and authenticated it (drivers/pg/connect.hpp); here its transport is lent and bytes
// pass through. The link frames what the server sends, matches it with the queue of owed replies
// (proto/pg/reply_tracker.hpp) and hands each client its own bytes unchanged. Queries of the
// gateway's own (settings, probes, clean-up) have no owner: their answers stop here.
//
//   idle in the pool -> leased -> (recovering: cancel, roll back, discard) -> idle, or closed
//
// Layer: gateway/relay. Thread: its worker's. Owned by its pool shard.
// Bounds: at most one read of bytes and one incomplete header or short message are kept.
#pragma once

#include <optional>
#include <string>

#include "drivers/pg/connect.hpp"
#include "gateway/relay/latencies.hpp"
#include "gateway/relay/link.hpp"
#include "gateway/relay/settings.hpp"
#include "gateway/relay/statements.hpp"
#include "proto/core/ring.hpp"
#include "proto/pg/messages.hpp"
#include "proto/pg/reply_tracker.hpp"

namespace sluice::gateway {

class multiplexer;

// The lane that leases a link. Calls come while the link reads; a lane may end its lease only in
// on_replies_done and on_link_lost.
class link_client {
public:
    virtual void on_reply(bytes_view bytes) = 0;      // for the client, unchanged
    virtual void on_own_reply(bytes_view bytes) = 0;  // to go before the next on_reply
    virtual void on_parameter(std::string_view name, std::string_view value) = 0;
    // The whole ErrorResponse; true: the lane took it, it is not forwarded.
    virtual bool on_server_error(bytes_view message) = 0;
    // For statistics: rows by a command's tag; an error that the client gets; the end of a reply.
    virtual void on_rows(std::uint64_t count) = 0;
    virtual void on_error_code(std::string_view sqlstate) = 0;
    virtual void on_time_out() = 0;  // ... with the error of cancel_for_time()
    virtual void on_request_done(char status) = 0;
    virtual std::uint64_t client_id() const noexcept = 0;
    virtual void on_parse_dropped(std::uint64_t statement_id) = 0;
    virtual void on_everything_deallocated(bool discarded_all) = 0;
    virtual void on_settings_applied(const std::string& error) = 0;  // empty: as asked
    virtual void on_settings_read(const std::vector<std::optional<std::string>>& values) = 0;
    virtual void on_replies_done(char status) = 0;  // nothing is owed any more
    virtual void on_link_lost(const std::string& cause, bool mid_message) = 0;
    virtual void on_link_drained() = 0;  // the server took what waited to be sent
    // Of a request that shared a link: answered; not answered and to be run elsewhere; begun to be
    // answered when the link was lost.
    virtual void on_shared_done() = 0;
    virtual void on_shared_returned(bytes_view request) = 0;
    virtual void on_shared_lost(const std::string& cause, bool mid_message) = 0;

protected:
    ~link_client() = default;
};

struct link_options {
    std::size_t max_prepared = 500;
    std::chrono::milliseconds cancel_timeout{5'000};
    std::chrono::milliseconds probe_timeout{5'000};
    bool raw = false;  // session mode: fatal errors pass like any other message
};

class pg_link final : public link {
public:
    pg_link(context& shared, pool::shared_pool& pool, pg::opened opened, link_options options);
    ~pg_link() override;

    // backend
    void probe() override;

    // --- while leased
    void begin_lease(link_client& client);
    // Clean, idle, nothing owed: back to the pool.
    void end_lease();
    // The client is gone, whatever state it left; the link repairs itself or closes.
    void abandon(bool mid_message, bool unsynced);

    // --- shared by several clients (multiplexer.hpp); instead of the rest of a lease, which has to
    // be clean, until nothing is owed
    void begin_sharing(multiplexer& by);
    bool takes_more(const session_settings& settings,
                    steady_clock::time_point now,
                    bool others_wait) const noexcept;
    // Others may follow what it is at, as far as that can be seen from outside.
    bool moves_on(steady_clock::time_point now) const noexcept;
    server_time expected() const noexcept { return multiplex_->expected; }  // of all that is owed
    std::size_t requests() const noexcept { return multiplex_->requests.size(); }
    // Between these two a client enters one request, as it would on a link of its own.
    void begin_request(link_client& client) noexcept { client_ = &client; }
    // `right` is the request's, until it is answered here.
    void end_request(bytes_view request,
                     std::uint64_t digest,
                     server_time expected,
                     pool::slot right);
    // Of the request that the link was leased for, before it is shared.
    pool::slot detach_request() noexcept { return shard_->detach_request(*this); }
    void client_stalls();  // the one at the head does not take its bytes
    void leave_shared(link_client& client);
    // False: the server had not begun with it, and what it says will be swallowed.
    bool cancel_shared(link_client& client, std::function<void()> done);
    bool is_at_head(const link_client& client) const noexcept
    {
        return !multiplex_->requests.empty() && multiplex_->requests[0].client == &client;
    }
    steady_clock::time_point head_since() const noexcept { return multiplex_->busy_since; }
    // Its client is at the head. See cancel_for_time().
    void time_out_shared(std::string error);
    // Takes back what waits behind a statement that runs for long. True: look again.
    bool check_head(steady_clock::time_point now);

    // Enters the reply that the next message sent will have. False: the server will ignore it.
    bool expect(pg::owed_kind kind, std::uint64_t tag = 0);
    // A Parse or Close that the server need not see. Its reply goes with the server's next message,
    // as PostgreSQL would send it: until then the request may run again, or fail instead.
    void expect_held(pg::owed_kind kind, std::uint64_t tag = 0);
    void release_held();  // the client sent Flush

    // Has the statement prepared on this backend, in front of what is sent next.
    // True: it was.
    bool ensure_prepared(const statement& wanted);
    bool is_prepared(std::uint64_t id) { return prepared_.use(id); }
    void note_prepared(std::uint64_t id);
    void forget_prepared(std::uint64_t id) { prepared_.remove(id); }

    enum class apply_outcome { nothing, sent, wait };
    apply_outcome apply(const session_settings& wanted);
    void read_settings(const std::vector<std::string>& names);
    void forget_statements();  // DEALLOCATE ALL, in front of what is sent next
    void note_setting(std::string_view name, std::string_view value);

    // For "cached plan must not change result type": what to run again.
    // `reads`: it may run on another backend, if its client has heard nothing of the reply.
    void remember_request(bytes_view bytes, bool reads)
    {
        request_.assign(as_text(bytes));
        request_reads_ = reads;
    }
    bool may_run_elsewhere() const noexcept
    {
        return request_reads_ && !request_.empty() && !replied_;
    }
    void forget_request() { request_.clear(); }
    std::string take_request() { return std::exchange(request_, {}); }
    bool has_request() const noexcept { return !request_.empty(); }
    bool replied() const noexcept { return replied_; }
    bool delivered() const noexcept { return delivered_; }
    // The client was sent the error of the request at the head, and no ReadyForQuery yet.
    bool error_told() const noexcept { return error_told_; }
    const std::vector<pg::owed>& held() const noexcept { return held_; }
    void mute()
    {
        tracker_.disown(client_);
        held_.clear();
    }  // the rest of the replies owed is swallowed

    // --- time limits (pg_link_time.cpp)
    // Since when the server is at what it is at, or has nothing to do.
    steady_clock::time_point busy_since() const noexcept { return busy_since_; }
    // Since when a transaction is open, or the statement runs that is one.
    steady_clock::time_point transaction_since() const noexcept { return transaction_since_; }
    // Cancels what runs; the client hears `error`, a whole ErrorResponse, in place of the server's.
    // `between_messages`: none of the client's is half sent.
    void cancel_for_time(std::string error, bool between_messages, std::function<void()> done);
    void end_time_out() noexcept { cancel_error_.clear(); }
    // The gateway ends its client's transaction; on_replies_done() follows.
    void roll_back();
    // In front of what is sent next: a transaction, failed if so wanted, for the client to end.
    void open_transaction(bool failed);

    // Something is left of the client that only DISCARD ALL takes away.
    void set_dirty(bool dirty) noexcept { dirty_ = dirty; }
    // Settings may have been changed in ways that nobody saw.
    void set_unknown_settings() noexcept { settings_unknown_ = true; }

    const pg::reply_tracker& tracker() const noexcept { return tracker_; }
    char status() const noexcept { return tracker_.status(); }
    int backend_pid() const noexcept { return opened_.backend_pid; }
    const std::vector<std::pair<std::string, std::string>>& parameters() const noexcept
    {
        return opened_.parameters;
    }
    const session_settings& reported() const noexcept { return reported_; }
    const session_settings& applied() const noexcept { return applied_; }

private:
    struct shared_request {
        link_client* client = nullptr;  // null: gone, or its request was taken back
        std::size_t size = 0;           // of its bytes in the log
        std::uint64_t digest = 0;
        server_time expected{};
        pool::slot right;
    };
    struct multiplex_state {
        multiplexer* by = nullptr;  // null: not shared now
        ring<shared_request> requests;
        byte_queue log;  // their bytes, in order: one may have to be run again elsewhere
        server_time expected{};
        steady_clock::time_point opened;
        steady_clock::time_point busy_since;   // with the request at the head
        std::vector<shared_request> finished;  // since the last look
        bool closed = false;                   // nobody joins any more
        bool flush_asked = false;
    };
    // On the last message of a shared request; no value of `internal`.
    static constexpr std::uint64_t shared_tag = ~std::uint64_t{0};
    // More than so many are not held back; the server's own buffer (8 kB) has room for 1,600.
    static constexpr std::size_t held_most = 512;

    enum class internal {
        none,
        apply,
        read,
        rollback,
        discard,
        reset,
        probe,
        deallocate,
        open,
    };

    // link
    bool consume(std::span<std::byte> bytes) override;
    void settled() override;
    void on_drained() override;
    void on_lost(const std::string& cause) override;
    bool nothing_owed() const noexcept override { return tracker_.idle(); }
    bool times_itself() const noexcept override { return sharing(); }
    void step_recovery() override;
    asio::awaitable<std::error_code> send_cancel() override;
    bool leased() const noexcept override { return client_ != nullptr || sharing(); }
    void describe_session(statistics::server_info& into) const override;
    std::int64_t server_id() const noexcept override { return opened_.backend_pid; }

    std::size_t parse(bytes_view bytes);
    void* on_whole_message(char type, bytes_view message);
    void* on_parameter_status(bytes_view body);
    void* on_error(bytes_view message);
    void on_command_tag(bytes_view body);
    void deliver(bytes_view range);
    bool retract_head();
    void answer_fakes();
    void pass_on_held();
    bool sharing() const noexcept { return multiplex_ && multiplex_->by; }
    link_client* current_client() const noexcept;
    void on_turn_end() override;
    void finish_request(char status);
    void learn_times();
    bool settle_shared();
    void hand_back(std::size_t from);
    bool must_run_again(const pg::error_fields& error);
    void forget_owner(link_client& client);
    std::size_t find_request(const link_client& client) const noexcept;
    void lose_shared(const std::string& cause, bool mid_message);
    void internal_done(internal what);
    void note_begin() noexcept;
    void note_ready() noexcept;
    bool tell_time_out(link_client& client, std::string_view sqlstate);
    internal running() const noexcept;  // whose reply is being read, if the gateway's own
    void run_internal(internal what, std::string_view sql);
    void append_query(std::string_view sql);
    void append_sync();
    void evict_prepared();
    std::string error_text(bytes_view message) const;

    pg::opened opened_;
    const link_options options_;
    link_client* client_ = nullptr;

    pg::reply_tracker tracker_;
    byte_queue partial_;            // an incomplete header or a message to be seen whole
    std::size_t message_left_ = 0;  // bytes of the current message still to come
    void* message_owner_ = nullptr;
    bytes_view range_;  // adjacent messages for range_owner_, not delivered yet
    void* range_owner_ = nullptr;

    std::string internal_error_;
    std::vector<std::optional<std::string>> row_;
    session_settings wanted_;    // while applying
    session_settings applied_;   // set beyond what the connection began with
    session_settings reported_;  // ParameterStatus
    prepared_cache prepared_;
    std::string request_;
    bool request_reads_ = false;
    bool replied_ = false;
    bool delivered_ = false;  // ... and its client has bytes of it
    bool error_told_ = false;
    steady_clock::time_point busy_since_{};
    steady_clock::time_point transaction_since_{};
    std::string cancel_error_;  // what a cancelled client hears; not empty: it is being cancelled

    std::unique_ptr<multiplex_state> multiplex_;
    std::vector<pg::owed> held_;     // fakes whose replies go with the next message
    bool request_finished_ = false;  // the message just read was a shared request's last
    bool stale_statements_ = false;  // what is prepared does not fit the tables any more
    bool dirty_ = false;
    bool settings_unknown_ = false;
};

}  // namespace sluice::gateway
