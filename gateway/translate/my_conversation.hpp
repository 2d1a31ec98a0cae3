// gateway/translate/my_conversation.hpp: one MySQL client talking to a SQLite file.
//
// Layer: gateway. Threads and bounds: dialogue.hpp. Prepared statements: `my_statements_max`; the
// long data of one statement: max_message.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/translate/dialogue.hpp"
#include "gateway/translate/my_statement.hpp"
#include "proto/mysql/messages.hpp"
#include "proto/mysql/packet.hpp"
#include "proto/mysql/requests.hpp"

namespace sluice::gateway {

inline constexpr std::size_t my_statements_max = 10'000;

class my_conversation final : public dialogue {
public:
    // `version`: of the server, as the greeting said it.
    my_conversation(client_channel& channel,
                    sqlite::database& on,
                    translate_options with,
                    std::string version);

    void start() override;

private:
    // A statement on its way through the engine.
    struct my_run {
        sqlite::sql_text sql;
        std::vector<sqlite::value> parameters;
        std::shared_ptr<my_rows> rows;
        std::shared_ptr<const sqlite::statement_info> info;
        sqlite::portal_id suspended = 0;
        std::uint64_t count = 0;  // rows
        std::uint64_t changes = 0;
        std::uint64_t updated = 0;  // as in sqlite::outcome
        std::uint64_t unchanged = 0;
        std::uint64_t removed = 0;
        bool count_rows = false;
        std::int64_t insert_id = 0;
    };
    enum class ran { done, suspended, failed };

    struct my_prepared {
        my_sqlite_statement_ptr statement;
        std::shared_ptr<const sqlite::statement_info> info;  // of the engine's
        std::size_t parameters = 0;
        std::uint64_t digest = 0;      // see proto/sql/normalize.hpp
        std::vector<std::byte> types;  // as the client sent them last
        std::map<std::uint16_t, std::string> long_data;
        bool long_data_refused = false;
        std::optional<my_run> cursor;
        bool cursor_done = false;
    };

    // LOAD DATA LOCAL: the client's file is on its way.
    struct loading {
        my_sqlite_statement_ptr statement;
        sqlite::sql_text insert;
        std::size_t columns = 0;
        byte_queue data;  // not a whole line yet
        std::uint64_t skip = 0;
        std::uint64_t records = 0;
        std::uint64_t changes = 0;
        std::uint64_t first_id = 0;
        bool own = false;               // the transaction; else a savepoint of the client's
        std::optional<my_error> error;  // told when the file has ended
    };

    // dialogue
    bool more_messages() override;
    asio::awaitable<std::size_t> answer_next() override;
    void close_with_error(client_error why) override;
    bool between_transactions() const noexcept override { return !open_ && !loading_; }
    bool may_lose_transaction() const noexcept override { return open_; }
    asio::awaitable<void> lose_transaction(time_limit by) override;
    bool tells_lost(mysql::command what, bytes_view payload);
    bool wants_turn() const noexcept override;
    std::size_t refuse_next(const tenant_refusal& why) override;

    // my_conversation.cpp
    asio::awaitable<void> command(mysql::command what, bytes_view payload, std::size_t packet);
    asio::awaitable<void> reset_connection();
    asio::awaitable<void> field_list(bytes_view payload);
    void set_option(bytes_view payload);
    void statistics();
    void change_user(std::size_t packet);
    std::uint16_t status() const noexcept;
    void ok(std::uint64_t affected = 0, std::uint64_t insert_id = 0, std::string_view info = {});
    void fail(my_error error);
    void fail(std::uint16_t number, std::string_view sqlstate, std::string message);
    void malformed();
    byte_queue behind(std::size_t packet) const;
    sqlite::session_context context_of() const;

    // my_conversation_query.cpp
    asio::awaitable<void> query(std::string_view text, std::size_t packet);
    asio::awaitable<void> run(my_sqlite_statement_ptr statement,
                              std::vector<sqlite::value> parameters,
                              mysql::row_format format);
    asio::awaitable<void> use(std::string name, std::size_t packet);
    asio::awaitable<void> kill(std::uint64_t id, kill_scope scope);
    my_sqlite_statement_ptr refreshed(my_sqlite_statement_ptr statement) const;

    // my_conversation_run.cpp
    asio::awaitable<void> run_engine(my_sqlite_statement_ptr statement,
                                     std::vector<sqlite::value> parameters,
                                     mysql::row_format format);
    asio::awaitable<bool> run_definition(my_sqlite_statement_ptr statement);
    asio::awaitable<bool> table_exists(const std::string& table);
    std::shared_ptr<my_rows> make_rows(const my_sqlite_statement& statement,
                                       mysql::row_format format,
                                       bool cursor = false);
    std::uint64_t affected_rows(const my_sqlite_statement& statement,
                                const my_run& run) const noexcept;
    asio::awaitable<ran> pump(my_run& run, std::string_view text, std::int64_t max_rows);
    void complete(const my_sqlite_statement& statement, const my_run& run);
    asio::awaitable<sqlite::outcome> evaluate(std::string sql, std::vector<my_value>& out);

    // my_conversation_transaction.cpp
    asio::awaitable<void> run_transaction(my_sqlite_statement_ptr statement);
    asio::awaitable<bool> end_transaction(bool commit);
    asio::awaitable<bool> enter_transaction(bool opens);
    asio::awaitable<bool> change_savepoint(const my_transaction& words);
    void begin(const my_transaction& words);

    // my_conversation_set.cpp
    asio::awaitable<void> run_set(my_sqlite_statement_ptr statement);
    asio::awaitable<std::optional<my_error>> set_one(const my_setting& one);
    asio::awaitable<std::optional<my_error>> set_system(const my_setting& one);
    std::optional<my_value> plain_value(const my_setting& one) const;
    void set_transaction(const my_setting& one);

    // my_conversation_load.cpp
    asio::awaitable<void> run_prepare(my_sqlite_statement_ptr statement, mysql::row_format format);
    void unknown_text_statement(const std::string& name, std::string_view given);
    asio::awaitable<void> start_load(my_sqlite_statement_ptr statement);
    asio::awaitable<void> load_data(bytes_view payload);
    asio::awaitable<void> load_record(const my_fields& fields);
    asio::awaitable<void> end_load();

    // my_conversation_prepared.cpp
    asio::awaitable<std::optional<my_prepared>> compile(std::string_view text);
    asio::awaitable<void> prepare(std::string_view text);
    asio::awaitable<void> execute(bytes_view payload);
    asio::awaitable<void> fetch(bytes_view payload);
    asio::awaitable<void> reset_statement(bytes_view payload);
    asio::awaitable<void> close_statement(std::uint32_t id);
    asio::awaitable<void> close_cursor(my_prepared& which);
    asio::awaitable<void> open_cursor(my_prepared& which,
                                      my_sqlite_statement_ptr statement,
                                      std::vector<sqlite::value> parameters);
    void long_data(bytes_view payload);
    bool read_parameters(const mysql::execute_request& request,
                         my_prepared& which,
                         std::vector<sqlite::value>& out);

    my_state state_;
    std::uint32_t capabilities_ = 0;
    bool multi_statements_ = false;

    std::uint8_t sequence_ = 0;  // of the next packet to the client
    byte_queue long_message_;    // payload of a message of several packets
    bool more_results_ = false;  // statements of the same text follow
    bool failed_now_ = false;

    bool open_ = false;   // a transaction, as the client sees it
    bool begun_ = false;  // the engine knows of it
    sqlite::transaction_options pending_;
    std::optional<sql::isolation_level> next_isolation_;  // SET TRANSACTION
    std::optional<bool> next_read_only_;
    std::vector<std::string> savepoints_;

    std::map<std::uint32_t, my_prepared> statements_;
    std::map<std::string, my_prepared> text_statements_;  // of PREPARE
    std::optional<loading> loading_;
    std::uint32_t last_statement_ = 0;
    std::uint32_t prepared_last_ = 0;  // 0: the last COM_STMT_PREPARE failed
    asio::steady_timer answered_;      // of KILL
};

}  // namespace sluice::gateway
