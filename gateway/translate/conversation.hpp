// gateway/translate/conversation.hpp: one PostgreSQL client talking to a SQLite file.
//
// Layer: gateway. Threads and bounds: dialogue.hpp. Statements and portals: `names_max`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/translate/dialogue.hpp"
#include "gateway/translate/settings.hpp"
#include "gateway/translate/statement.hpp"
#include "gateway/translate/translated_texts.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"
#include "proto/pg/requests.hpp"

namespace sluice::gateway {

inline constexpr std::size_t names_max = 10'000;

// What the client is told. `position`: characters from 1, 0 for none.
struct reply_error {
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
    std::uint32_t position = 0;
    std::string table;
    std::string column;
    std::string constraint;
};

struct prepared_statement {
    statement_ptr statement;
    // Whose rows an EXECUTE or FETCH returns, what a DECLARE runs.
    std::shared_ptr<const prepared_statement> inner;
    std::shared_ptr<const sqlite::statement_info> info;  // engine statements only
    std::vector<pg::type_oid> parameters;
};
using prepared_ptr = std::shared_ptr<const prepared_statement>;

struct portal {
    prepared_ptr prepared;
    std::vector<sqlite::value> parameters;
    std::vector<std::uint16_t> formats;
    std::shared_ptr<row_encoder> encoder;
    std::shared_ptr<const sqlite::statement_info> running;
    sqlite::portal_id suspended = 0;
    std::uint64_t rows = 0;
    bool started = false;
    bool done = false;
    bool cursor = false;  // DECLARE made it
    std::uint64_t changes = 0;
};
using portal_ptr = std::shared_ptr<portal>;

class conversation final : public dialogue {
public:
    conversation(client_channel& channel, sqlite::database& on, translate_options with);

    void start() override;

private:
    // Whether a transaction is open, as the client sees it. `begun_`: the engine knows of it.
    enum class block { none, implicit, open, failed };

    bool more_messages() override;
    asio::awaitable<std::size_t> answer_next() override;
    std::size_t answer_at_once() override;
    void close_with_error(client_error why) override;
    bool between_transactions() const noexcept override;
    bool may_lose_transaction() const noexcept override;
    asio::awaitable<void> lose_transaction(time_limit by) override;
    bool refused_in_failed(const client_statement& statement) const noexcept;
    reply_error aborted();
    asio::awaitable<void> refuse_in_failed(const client_statement& statement);
    bool wants_turn() const noexcept override;
    std::size_t refuse_next(const tenant_refusal& why) override;
    asio::awaitable<void> answer(const pg::frame& message);
    bool next_is(char type) const;

    // Without a coroutine (conversation_at_once.cpp). False: nothing has happened.
    bool parse_at_once(bytes_view body);
    bool bind_at_once(bytes_view body);
    bool describe_at_once(bytes_view body);
    bool execute_at_once(bytes_view body);
    bool sync_at_once();
    bool query_at_once(bytes_view body);
    bool runs_at_once(const client_statement& statement) const noexcept;
    bool run_at_once(portal& which);
    prepared_ptr& unnamed_statement();
    statement_ptr read(std::string_view text, std::size_t offset);

    // Simple protocol (conversation_simple.cpp).
    asio::awaitable<void> simple_query(std::string_view text);
    asio::awaitable<void> simple_statement(statement_ptr statement, bool alone);

    // Extended protocol (conversation_extended.cpp).
    asio::awaitable<void> parse(pg::parse_request request);
    asio::awaitable<void> bind(pg::bind_request request);
    portal_ptr make_portal(pg::bind_request request, reply_error& problem);
    asio::awaitable<void> describe_statement(prepared_ptr prepared);
    void describe_portal(portal& which, bool fixed);
    asio::awaitable<void> named_request(char type, pg::named_request request);
    asio::awaitable<void> execute_portal(portal_ptr which, std::int64_t max_rows);
    asio::awaitable<void> close_portal(std::string name);
    asio::awaitable<void> close_portals();
    asio::awaitable<void> sync();
    void end_sync();
    void encode_portal(portal& which, bool describe);
    void settle_described_portal();

    // Preparing (preparation.cpp).
    asio::awaitable<prepared_ptr> prepare(statement_ptr statement,
                                          std::string_view whole,
                                          std::vector<pg::type_oid> types);
    asio::awaitable<void> infer_parameters(prepared_statement& prepared);
    struct declared_types {
        std::map<std::string, pg::type_oid> by_name;  // lower case; the first table's wins
        std::vector<pg::type_oid> first_table;
    };
    asio::awaitable<declared_types> types_declared_in(std::vector<std::string> tables);
    // '\x00ff' in the place of a BYTEA column is bytes, as PostgreSQL reads it.
    asio::awaitable<statement_ptr> read_bytes(statement_ptr statement);
    asio::awaitable<sqlite::outcome> describe_text(sqlite::sql_text sql);

    // Running (conversation_run.cpp). False or null: an error was sent and the block updated.
    asio::awaitable<bool> run_local(statement_ptr statement,
                                    bool show_columns,
                                    const portal* outer = nullptr);
    asio::awaitable<bool> run_transaction(statement_ptr statement);
    bool run_settings(const client_statement& statement, bool show_columns);
    asio::awaitable<bool> run_session(const client_statement& statement);
    asio::awaitable<bool> enter_transaction(const client_statement& statement);
    enum class ran { done, row_limit, failed };
    asio::awaitable<bool> pump(portal& which, std::int64_t max_rows);
    asio::awaitable<ran> run_portal(portal& which, std::int64_t max_rows);
    asio::awaitable<bool> engine_call(sqlite::session::verb what, std::string name);
    asio::awaitable<sqlite::outcome> engine_begin();
    asio::awaitable<bool> end_block(bool commit);
    void complete(const client_statement& statement, std::uint64_t rows, std::uint64_t changes);
    std::shared_ptr<row_encoder> make_encoder(const statement_ptr& statement,
                                              std::vector<std::uint16_t> formats);

    // PREPARE, EXECUTE and cursors (conversation_cursors.cpp).
    asio::awaitable<prepared_ptr> prepare_inner(const client_statement& statement,
                                                std::vector<pg::type_oid> types);
    prepared_ptr source_of_rows(const client_statement& statement) const;
    asio::awaitable<bool> run_prepare(statement_ptr statement);
    asio::awaitable<bool> read_arguments(const client_statement& statement,
                                         const prepared_statement& prepared,
                                         std::vector<sqlite::value>& out);
    asio::awaitable<bool> run_execute(statement_ptr statement,
                                      bool show_columns,
                                      const portal* outer);
    asio::awaitable<bool> run_cursor(statement_ptr statement,
                                     bool show_columns,
                                     const portal* outer);
    asio::awaitable<bool> declare_cursor(statement_ptr statement, const portal* outer);
    asio::awaitable<bool> fetch_rows(statement_ptr statement,
                                     portal_ptr which,
                                     bool show_columns,
                                     const portal* outer);
    asio::awaitable<void> close_cursors();

    // COPY (conversation_copy.cpp).
    asio::awaitable<bool> run_copy(statement_ptr statement);
    asio::awaitable<void> copy_message(const pg::frame& message);
    asio::awaitable<void> end_copy(bool good);
    asio::awaitable<bool> copy_lines(bool last);
    asio::awaitable<bool> copy_row(std::string_view line);
    asio::awaitable<bool> copy_tuples(bool last);
    asio::awaitable<bool> insert_copied(std::vector<sqlite::value> values, reply_error problem);
    asio::awaitable<bool> start_copy_in(statement_ptr statement);

    // Errors.
    asio::awaitable<void> fail(reply_error error);
    reply_error from_engine(const sqlite::sql_error& error,
                            const client_statement* statement) const;
    void send_error(std::string_view severity, const reply_error& error);
    void notice(std::string_view severity, std::string_view sqlstate, std::string_view message);
    void protocol_error(std::string_view message);
    void ready();
    void close_with(std::string_view sqlstate, std::string_view message);
    sqlite::transaction_options new_block_options(const sql::transaction_words& words) const;
    sqlite::session_context context_of() const;
    void refresh_context();

    local_settings settings_;
    std::size_t peek_ = 0;  // bytes of work_ that the current message takes
    bool context_stale_ = false;

    block block_ = block::none;
    bool begun_ = false;
    bool read_only_ = false;
    sqlite::transaction_options pending_;
    std::vector<std::string> savepoints_;

    bool skip_until_sync_ = false;
    bool failed_now_ = false;  // an error was sent for the message in progress
    std::string_view query_;   // text of the Query or Parse in progress, for positions
    std::map<std::string, prepared_ptr, std::less<>> statements_;
    std::map<std::string, portal_ptr, std::less<>> portals_;
    portal_ptr described_;  // Describe was asked, the answer waits for what comes next
    // What answer_at_once() found out for answer_next(): the Query's statement; that the event loop
    // has tried to run it, and what came of it.
    statement_ptr at_hand_;
    std::optional<std::optional<sqlite::outcome>> tried_;
    std::shared_ptr<row_encoder> last_encoder_;  // for the next result, when nobody else has it

    struct copy_in {
        statement_ptr statement;
        sqlite::sql_text insert;
        std::vector<pg::type_oid> types;
        byte_queue data;
        std::uint64_t rows = 0;
        bool header_seen = false;
        bool ended = false;      // "\."
        bool own_block = false;  // COPY is atomic: the transaction is its own
        bool simple = false;     // ReadyForQuery follows
        std::string rest;        // statements behind it in the same Query
    };
    std::optional<copy_in> copy_;
};

}  // namespace sluice::gateway
