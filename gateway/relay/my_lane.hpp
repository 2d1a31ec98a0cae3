// gateway/relay/my_lane.hpp: a MySQL client whose commands are relayed to MySQL or MariaDB.
//
// The lane takes one command at a time, leases a link for it and passes bytes on unchanged, but for
// the ids of prepared statements. In transaction mode the lease ends when the command is answered
// and the server says that no transaction is open; what belongs to the session (variables, schema,
// prepared statements) follows the client, what cannot (user variables, temporary tables, locks,
// ...) keeps its lease: a pin. What a statement left for the next to ask about (LAST_INSERT_ID(),
// SHOW WARNINGS) is found on the link it ran on, to which the client returns if nobody had it in
// between; else it is brought along, see answer_questions().
//
// Layer: gateway/relay. Thread: the client's worker.
// Bounds: in_ holds at most one read beyond an incomplete packet of which at most inspected_max
// bytes are looked at (a statement to prepare: prepared_text_max); larger ones stream through.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/relay/my_database.hpp"
#include "gateway/relay/my_effects.hpp"
#include "gateway/relay/my_link.hpp"
#include "gateway/relay/my_longer_command.hpp"
#include "gateway/relay/my_statements.hpp"
#include "gateway/relay/relay_lane.hpp"
#include "gateway/relay/settings.hpp"

namespace sluice::gateway {

class my_lane final : public relay_lane, private my_link_client {
public:
    my_lane(context& shared, client_channel& channel, std::shared_ptr<my_database> database);
    ~my_lane() override;

    void start() override;
    void inherit(lane& before) override;
    void on_drained() override;
    void on_client_gone() override;
    void on_cancel(std::function<void()> done) override;
    bool quiescent() const noexcept override;
    void request_drain() override;

private:
    // my_link_client
    byte_queue& reply_out() noexcept override { return channel_.out(); }
    void on_reply(bytes_view bytes) override;
    void on_ok(const mysql::ok_message& ok) override;
    void on_error(std::uint16_t number) override;
    std::uint32_t on_prepared(const mysql::prepare_ok& answer) override;
    bool on_local_infile() override;
    void on_settings_applied(const std::string& error) override;
    void on_settings_read(const std::vector<std::optional<std::string>>& values) override;
    void on_backend_prepared(bytes_view error) override;
    void on_replies_done() override;
    void on_link_lost(const std::string& cause, bool begun, bool mid_packet) override;
    void on_link_drained() override { unblock(); }
    std::uint64_t client_id() const noexcept override { return channel_.identity().id; }
    bool on_link_taken() noexcept override;
    void on_diagnostics(std::vector<my_diagnostic>* all) override;
    // swept (my_lane_time.cpp, with what follows)
    void sweep(steady_clock::time_point now) override;
    void time_out(time_limit which, steady_clock::time_point now);
    void on_cancel_done();
    bool settle_time_out();
    void lose_transaction();
    bool tells_lost(mysql::command what, mysql::packet_header header, bytes_view rest);
    std::size_t answer_lost(mysql::packet_header header, bytes_view rest);
    // relay_lane
    std::size_t process(bytes_view in) override;
    bool begin_lease(backend& granted) override;
    void on_lease_ready() override { resume(); }
    void describe_session(statistics::client_info& into) const override;
    void fatal(client_error code, const std::string& message, std::string_view reason) override;

    // the client's commands (my_lane_commands.cpp); each returns how many bytes it took, 0: not yet
    std::size_t on_command(mysql::packet_header header, bytes_view rest);
    std::size_t on_query(mysql::packet_header header, bytes_view rest);
    std::size_t on_init_db(mysql::packet_header header, bytes_view rest);
    std::size_t on_set_option(mysql::packet_header header, bytes_view rest);
    std::size_t on_process_kill(mysql::packet_header header, bytes_view rest);
    std::size_t on_reset_connection(mysql::packet_header header, bytes_view rest);
    std::size_t on_ping(mysql::packet_header header, bytes_view rest);
    std::size_t on_change_user(mysql::packet_header header, bytes_view rest);
    std::size_t on_plain_command(mysql::command what, mysql::packet_header header, bytes_view rest);
    // prepared statements (my_lane_statements.cpp)
    std::size_t on_prepare(mysql::packet_header header, bytes_view rest);
    std::size_t on_execute(mysql::packet_header header, bytes_view rest);
    std::size_t on_long_data(mysql::packet_header header, bytes_view rest);
    std::size_t on_fetch(mysql::packet_header header, bytes_view rest);
    std::size_t on_statement_reset(mysql::packet_header header, bytes_view rest);
    std::size_t on_statement_close(mysql::packet_header header, bytes_view rest);
    my_statement_ref answered(const my_client_statement& known);
    std::size_t send_execute(my_client_statement& known,
                             const my_execute& request,
                             mysql::packet_header header,
                             bytes_view rest);
    std::size_t with_types(my_client_statement& known,
                           const my_execute& request,
                           std::uint32_t backend_id,
                           mysql::packet_header header,
                           bytes_view rest);
    std::size_t relay_for(std::uint32_t backend_id, mysql::packet_header header, bytes_view rest);
    my_client_statement* find_statement(std::uint32_t id);
    bool ready_for(const my_statement& wanted);
    void end_statement(my_client_statement& known);

    // bytes on their way
    std::size_t on_upload(mysql::packet_header header, bytes_view rest);
    std::size_t relay(mysql::packet_header header, bytes_view rest, std::size_t skip = 0);
    void send_body(bytes_view part);
    std::size_t relay_continuation(mysql::packet_header header, bytes_view rest);
    std::size_t drop(mysql::packet_header header, bytes_view rest);
    void begin_command(mysql::command what, const my_effects& effects);
    bool whole(mysql::packet_header header, bytes_view rest);
    std::size_t refuse(mysql::packet_header header, bytes_view rest);
    std::size_t refuse_with(client_error code,
                            std::string_view message,
                            mysql::packet_header header,
                            bytes_view rest);
    std::size_t answer_error(const mysql::err_message& error,
                             mysql::packet_header header,
                             bytes_view rest);
    void answer_ok(bool as_eof = false);
    void kill(std::uint32_t id, kill_scope scope);
    bool change_database(std::string_view name, mysql::packet_header header, bytes_view rest);

    // leases and state (my_lane.cpp, my_lane_state.cpp)
    void note_error(client_error code);
    bool ready();
    bool leased();
    bool settle_settings(const session_settings& wanted);
    void end_lease();
    void track(const mysql::ok_message& ok);
    void on_variable(std::string_view name, std::string_view value);
    bool read_touched();
    void reset_session();
    void answer_questions(sql::looks_back asks);
    bool shows_diagnostics(std::string_view text, mysql::packet_header header);
    void note_aftermath(const mysql::ok_message& ok);
    void forget_aftermath();
    sql::dialect dialect() const noexcept;
    bool pinned() const noexcept;
    bool session_mode() const noexcept { return database_->mode() == pool_mode::session; }
    sql::mysql_mode reading_mode() const noexcept;
    std::string no_transactions() const;
    const std::string& client_charset() const noexcept;
    void keep_for_retry(mysql::packet_header header, bytes_view rest);
    bool send_again(my_link& lost, bool begun);

    const std::shared_ptr<my_database> database_;  // shared with all its clients
    my_link* link_ = nullptr;                      // leased; owned by the pool
    my_link* last_link_ = nullptr;  // idle, and nobody had it since; it tells when that ends
    std::uint32_t capabilities_ = 0;

    // The packet whose bytes are passing.
    std::size_t body_left_ = 0;
    std::unique_ptr<my_longer_command> longer_;  // its command, where it is cut anew
    std::size_t message_size_ = 0;               // of the command, so far
    bool body_continues_ = false;                // the next packet belongs to the same command
    bool body_dropped_ = false;
    std::uint8_t last_sequence_ = 0;  // of the client's last packet

    // The command that is being answered.
    bool running_ = false;
    bool failed_ = false;
    bool unfinished_ = false;      // answered, and not counted yet
    bool uploading_ = false;       // LOAD DATA LOCAL: the client sends its file
    bool upload_dropped_ = false;  // ... which nobody wants any more
    bool upload_continues_ = false;
    mysql::command command_ = mysql::command::query;
    my_effects effects_;
    bool understood_ = false;  // they are those of the command that waits
    my_client_statement* executing_ = nullptr;
    my_statement_ref preparing_;
    bool backend_prepares_ = false;  // what the link has to prepare before it can be executed
    bool prepares_first_ = false;    // ... or had to, since the last execution
    std::string prepare_error_;  // of a statement that the link had to prepare: an ERR's payload

    // The lease.
    bool fresh_ = false;  // the statement before did not run here, or others have since
    bool was_in_transaction_ = false;
    // LAST_INSERT_ID() on the link, or on last_link_, is this client's.
    bool insert_id_here_ = false;
    bool retried_ = false;   // the command was sent before, to a backend that died
    bool one_shot_ = false;  // SET TRANSACTION, for the next one
    bool draining_ = false;
    std::uint16_t in_use_ = 0;  // statements with a cursor or long data on the link

    std::optional<time_limit> lost_;  // it ended the transaction, and the client has yet to hear

    // The session.
    std::uint16_t status_ = mysql::status::autocommit;
    std::uint64_t last_insert_id_ = 0;
    my_aftermath aftermath_;
    std::unique_ptr<std::vector<my_diagnostic>> diagnostics_;  // brought from the last link
    my_link* diagnostics_from_ = nullptr;                      // which is being asked for them
    session_settings begins_;
    session_settings settings_;  // what the client believes
    bool ask_collation_ = false;
    bool restore_tracking_ = false;
    std::vector<std::string> touched_;  // variables to ask the server for before the lease ends
    my_pins pins_;
    std::unordered_map<std::uint32_t, my_client_statement> statements_;
    std::uint32_t next_statement_ = 1;
    std::uint32_t last_prepared_ = 0;
};

}  // namespace sluice::gateway
