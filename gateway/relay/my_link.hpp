// gateway/relay/my_link.hpp: one connection to a MySQL or MariaDB server, as the relay uses it.
//
// drivers/mysql logged it in with CLIENT_DEPRECATE_EOF and CLIENT_SESSION_TRACK. The link has the
// server report what changes in the session, matches each packet with the queue of owed replies
// (proto/mysql/reply_tracker.hpp) and hands the client its bytes: unchanged, or as its own
// capabilities want them (my_reply_writer.hpp). Commands of the gateway's own (settings, probes,
// clean-up) have no owner: their answers stop here.
//
//   idle in the pool -> leased -> (recovering: kill, roll back, reset) -> idle, or closed
//
// Layer: gateway/relay. Thread: its worker's. Owned by its pool shard.
// Bounds: at most one read of bytes and one packet that has to be seen whole are kept.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drivers/mysql/connect.hpp"
#include "gateway/relay/link.hpp"
#include "gateway/relay/my_answers.hpp"
#include "gateway/relay/my_reply_writer.hpp"
#include "gateway/relay/my_settings.hpp"
#include "gateway/relay/my_statements.hpp"
#include "proto/mysql/reply_tracker.hpp"

namespace sluice::gateway {

class my_link;

// The lane that leases a link. Calls come while the link reads; a lane may end its lease only in
// on_replies_done and on_link_lost.
// What every time limit answers: ER_STATEMENT_TIMEOUT.
inline constexpr std::uint16_t time_is_up = 3024;

class my_link_client : public my_reply_writer::sink {
public:
    // Each OK, or end of rows, of the client's own commands, before it is passed on.
    virtual void on_ok(const mysql::ok_message& ok) = 0;
    // time_is_up: with the error of cancel_for_time().
    virtual void on_error(std::uint16_t number) = 0;
    // The client's COM_STMT_PREPARE was answered: the id that the client shall know it by.
    virtual std::uint32_t on_prepared(const mysql::prepare_ok& answer) = 0;
    // The server wants a file of the client's. False: it gets an empty one.
    virtual bool on_local_infile() = 0;
    virtual void on_settings_applied(const std::string& error) = 0;  // empty: as asked
    virtual void on_settings_read(const std::vector<std::optional<std::string>>& values) = 0;
    // Of prepare(). `error`: the ERR packet's payload, empty when it went well.
    virtual void on_backend_prepared(bytes_view error) = 0;
    virtual void on_replies_done() = 0;  // nothing is owed any more
    // `begun`: bytes of an unfinished reply were passed on already, `mid_packet`: half a packet.
    virtual void on_link_lost(const std::string& cause, bool begun, bool mid_packet) = 0;
    virtual void on_link_drained() = 0;  // the server took what waited to be sent
    // The backend that this client used last is somebody else's now, or gone. True: the client
    // may still ask for the warnings that it left there.
    virtual bool on_link_taken() noexcept = 0;
    // ... which are these; null: not to be had.
    virtual void on_diagnostics(std::vector<my_diagnostic>* all) = 0;
    virtual std::uint64_t client_id() const noexcept = 0;  // for statistics

protected:
    ~my_link_client() = default;
};

struct my_link_options {
    std::size_t max_prepared = 500;
    std::chrono::milliseconds cancel_timeout{5'000};
    std::chrono::milliseconds probe_timeout{5'000};
};

class my_link final : public link {
public:
    my_link(context& shared,
            pool::shared_pool& pool,
            mysql::opened opened,
            std::shared_ptr<const mysql::connect_options> opened_with,
            session_settings begins_with,
            my_link_options options);
    ~my_link() override;

    // backend
    void depart() override;
    bool finish_first() override;
    void probe() override;

    // --- while leased
    // `capabilities`: what the client's connection has.
    void begin_lease(my_link_client& client, std::uint32_t capabilities);
    // Clean, idle, nothing owed: back to the pool. `remembered`: what the client's last command
    // left here (LAST_INSERT_ID(), warnings) may still be asked for, until on_link_taken().
    void end_lease(bool remembered);
    // The client is gone, whatever state it left; the link repairs itself or closes.
    void abandon(bool mid_message);

    // Enters the reply that the next command sent will have.
    // `sequence`: of the answer's first packet.
    void expect(mysql::command what, std::uint8_t sequence = 1);
    // A further packet of the command that expect() entered was sent, as one or, `split`, as two.
    void on_continuation(mysql::packet_header header, bool split = false)
    {
        const auto ours = static_cast<std::uint8_t>(header.sequence + split);
        tracker_.on_continuation_sent({header.length, ours});
        writer_.begin_reply(static_cast<std::uint8_t>(header.sequence + 1),
                            static_cast<std::uint8_t>(-int{split}));
    }
    // A command of the client's file upload was sent.
    void on_upload(mysql::packet_header header) { tracker_.on_upload(header); }

    // Null: not prepared here.
    my_prepared_cache::entry* prepared(std::uint64_t id) { return prepared_.use(id); }
    // on_backend_prepared() says how it went.
    void prepare(const my_statement& wanted);
    // The client's own COM_STMT_PREPARE comes next.
    void expect_prepare(const my_statement& wanted);
    void reset_statement(std::uint32_t backend_id);  // closes its cursor, forgets its long data
    void forget_prepared(std::uint64_t id);

    enum class apply_outcome { nothing, sent, wait };
    apply_outcome apply(const session_settings& wanted);
    void read_settings(const std::vector<std::string>& names);
    void note_setting(std::string_view name, std::string_view value);
    void forget_setting(std::string_view name);
    void restore_tracking();  // the client changed what the server reports
    void set_last_insert_id(std::uint64_t id);
    void clear_diagnostics();
    void ask_status();  // COM_PING: is a transaction open?

    // --- time limits (my_link_time.cpp)
    // Since when the server is at what it is at, or has nothing to do.
    steady_clock::time_point busy_since() const noexcept { return busy_since_; }
    // Since when a transaction is open, or the statement runs that is one.
    steady_clock::time_point transaction_since() const noexcept { return transaction_since_; }
    // Kills what runs; the client hears `error`, an ERR's payload, in place of the server's.
    void cancel_for_time(std::string error, std::function<void()> done);
    // Its reply has ended, and no kill is under way. True: one may still hit what comes next, so a
    // statement of the gateway's own does; on_replies_done() follows.
    bool end_time_out();
    // The gateway ends its client's transaction; on_replies_done() follows.
    void roll_back();

    // The client's COM_RESET_CONNECTION comes next.
    void expect_reset();
    // The client's command, whole: what to send again if its reply is lost before it began. Up to
    // retried_max bytes.
    void keep_request(bytes_view command) { request_.assign(command.begin(), command.end()); }
    void forget_request() noexcept { request_.clear(); }
    bytes_view kept_request() const noexcept { return request_; }
    // The client that may ask about its last statement does not live any longer.
    void forget_client(const my_link_client& gone) noexcept;

    // Something is left of the client that only COM_RESET_CONNECTION takes away.
    void set_dirty(bool dirty) noexcept { dirty_ = dirty; }
    // What the client runs may leave what neither its text nor the server tells: locks, or, of a
    // text that was not read to its end, anything. It goes when the lease ends.
    enum class unseen : std::uint8_t { nothing, locks, anything };
    void may_leave(unseen what) noexcept { unseen_ = std::max(unseen_, what); }

    const mysql::reply_tracker& tracker() const noexcept { return tracker_; }
    bool in_transaction() const noexcept { return tracker_.in_transaction(); }
    std::uint32_t connection_id() const noexcept { return opened_.connection_id; }
    std::uint16_t status() const noexcept { return tracker_.status(); }
    const session_settings& applied() const noexcept { return applied_; }
    // Sequence number of the next packet of an unfinished reply, as the client counts.
    std::uint8_t next_sequence() const noexcept { return writer_.next_sequence(); }
    std::uint8_t sequence_shift() const noexcept { return writer_.shift(); }
    // SHOW WARNINGS would show what another client's statement left.
    bool shows_others_diagnostics() const noexcept { return others_diagnostics_; }
    // In on_ok(): these were the rows of a result, not an OK.
    bool result_ended() const noexcept { return result_ended_; }
    std::uint64_t rows() const noexcept { return rows_; }

private:
    enum class internal : std::uint64_t {
        none,
        track,
        apply,
        read,
        diagnostics,
        prepare,
        rollback,
        reset,
        probe,
        ignored,
    };

    static bool reads_rows(internal what) noexcept
    {
        return what == internal::read || what == internal::diagnostics;
    }

    // link
    bool consume(std::span<std::byte> bytes) override;
    void settled() override;
    void on_drained() override;
    void on_lost(const std::string& cause) override;
    bool nothing_owed() const noexcept override { return tracker_.empty(); }
    void step_recovery() override;
    asio::awaitable<std::error_code> send_cancel() override;
    bool leased() const noexcept override { return client_ != nullptr; }
    void describe_session(statistics::server_info& into) const override;
    std::int64_t server_id() const noexcept override { return opened_.connection_id; }

    // my_link_read.cpp
    std::size_t parse(std::span<std::byte> bytes);
    void on_clients(const mysql::reply_tracker::verdict& verdict, std::span<std::byte> packet);
    void read_row(bytes_view payload);
    void on_internal(const mysql::reply_tracker::verdict& verdict, bytes_view payload);
    void internal_done(internal what, const std::string& error);
    void applied(const std::string& error);
    void decline_upload(std::uint8_t sequence);
    internal running() const noexcept;  // whose reply is being read, if the gateway's own

    void run_internal(internal what, mysql::command code, std::string_view rest);
    void begin_command(mysql::command code, std::string_view rest);
    void replace_prepared(std::uint64_t id, std::uint32_t backend_id);
    void evict_prepared();
    void note_begin() noexcept;
    void note_end() noexcept;
    bool tell_last_client() noexcept;
    bool fetch_for_last_client();
    void part_from_last_client();
    void ask_diagnostics(my_link_client& whose);
    void was_reset();

    mysql::opened opened_;
    const std::shared_ptr<const mysql::connect_options> opened_with_;  // by all of the pool
    const my_link_options options_;
    my_link_client* client_ = nullptr;
    my_link_client* last_client_ = nullptr;  // who may ask about its last statement
    my_link_client* asking_for_ = nullptr;   // who gets the diagnostics that were asked for

    mysql::reply_tracker tracker_;
    my_reply_writer writer_;
    std::vector<std::byte> request_;
    byte_queue partial_;           // an incomplete header or a packet to be seen whole
    std::size_t packet_left_ = 0;  // bytes of the current packet still to come
    bool packet_is_clients_ = false;

    steady_clock::time_point busy_since_{};
    steady_clock::time_point transaction_since_{};
    std::string cancel_error_;  // what a killed client hears; not empty: it is being killed

    std::string internal_error_;
    std::string apply_error_;
    std::uint64_t rows_ = 0;
    bool result_ended_ = false;
    int applying_ = 0;  // commands of apply() that are not answered
    std::vector<std::optional<std::string>> row_;
    std::vector<my_diagnostic> diagnostics_;
    std::uint64_t preparing_ = 0;    // id of the statement that is being prepared
    const session_settings begins_;  // of a connection that was reset
    session_settings wanted_;        // while applying
    session_settings applied_;
    my_prepared_cache prepared_;

    bool dirty_ = false;
    unseen unseen_ = unseen::nothing;
    // Warnings or an error are kept here. Statements without a table do not clear them.
    bool has_diagnostics_ = false;
    bool others_diagnostics_ = false;
    bool abandoned_ = false;  // nobody knows what the client's last command did
    bool was_cancelled_ = false;
};

}  // namespace sluice::gateway
