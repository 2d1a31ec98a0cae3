// gateway/relay/pg_lane.hpp: a PostgreSQL client whose requests are relayed to PostgreSQL.
//
// The lane frames what the client sends, leases a link when a request begins and passes bytes on
// unchanged, but for the names of prepared statements. In transaction mode the lease ends when
// nothing is owed and no transaction is open; what belongs to the session (settings, statements)
// follows the client, what cannot (temporary tables, LISTEN, ...) keeps its lease: a pin.
//
// Layer: gateway/relay. Thread: the client's worker.
// Bounds: in_ holds at most one read beyond an incomplete message of which at most inspected_max
// bytes are looked at; larger messages stream through.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/relay/effects.hpp"
#include "gateway/relay/pg_database.hpp"
#include "gateway/relay/multiplexer.hpp"
#include "gateway/relay/pg_link.hpp"
#include "gateway/relay/relay_lane.hpp"
#include "gateway/relay/settings.hpp"
#include "gateway/relay/statement_memory.hpp"
#include "gateway/relay/statements.hpp"

namespace sluice::gateway {

class pg_lane final : public relay_lane, private link_client {
public:
    pg_lane(context& shared, client_channel& channel, std::shared_ptr<pg_database> database);
    ~pg_lane() override;

    void start() override;
    void on_drained() override;
    void on_client_gone() override;
    void on_cancel(std::function<void()> done) override;
    bool quiescent() const noexcept override;
    void request_drain() override;

private:
    // link_client
    void on_reply(bytes_view bytes) override;
    void on_own_reply(bytes_view bytes) override;
    void on_parameter(std::string_view name, std::string_view value) override;
    bool on_server_error(bytes_view message) override;
    void on_rows(std::uint64_t count) override { meter_.rows(count); }
    void on_error_code(std::string_view sqlstate) override { meter_.error(sqlstate); }
    void on_time_out() override;
    std::uint64_t client_id() const noexcept override { return channel_.identity().id; }
    void on_request_done(char status) override { meter_.finished(now(), status != 'I'); }
    void on_parse_dropped(std::uint64_t statement_id) override;
    void on_everything_deallocated(bool discarded_all) override;
    void on_settings_applied(const std::string& error) override;
    void on_settings_read(const std::vector<std::optional<std::string>>& values) override;
    void on_replies_done(char status) override;
    void on_link_lost(const std::string& cause, bool mid_message) override;
    void on_link_drained() override;
    void on_shared_done() override;
    void on_shared_returned(bytes_view request) override;
    void on_shared_lost(const std::string& cause, bool mid_message) override;
    // swept (pg_lane_time.cpp, with what follows)
    void sweep(steady_clock::time_point now) override;
    void time_out(time_limit which, steady_clock::time_point now);
    void end_overdue(time_limit which);
    void lose_transaction(time_limit which, bool told);
    bool settle_time_out(char status);
    void on_cancel_done();
    std::string time_out_error(time_limit which) const;
    std::size_t on_message_of_lost(char type, std::size_t total, bytes_view rest);
    std::size_t end_lost(char type, std::size_t total, bytes_view rest, bool commit);
    enum class ending : std::uint8_t { none, commit, rollback };
    ending ending_of(char type, std::size_t total, bytes_view rest) const;
    // pool::waiter
    bool on_offer(backend& shared, pool::slot& right) override;
    bool holds_back() const override;
    // relay_lane
    std::size_t process(bytes_view in) override;
    bool begin_lease(backend& granted) override;
    void on_lease_ready() override;
    void describe_session(statistics::client_info& into) const override;
    void fatal(client_error code, const std::string& message, std::string_view reason) override;

    // the client's messages (pg_lane_requests.cpp); each returns how many bytes it took, 0: not yet
    std::size_t on_message(char type, std::size_t total, bytes_view rest);
    std::size_t on_leased_message(char type, std::size_t total, bytes_view rest);
    std::size_t on_query(std::size_t total, bytes_view rest);
    std::size_t on_parse(std::size_t total, bytes_view rest);
    std::size_t on_bind(std::size_t total, bytes_view rest);
    std::size_t on_describe_or_close(char type, std::size_t total, bytes_view rest);
    std::size_t on_message_without_link(char type, std::size_t total, bytes_view rest);
    void note_bound(std::uint64_t digest, bytes_view definition);
    std::size_t parse_named(std::string_view name, std::size_t total, bytes_view rest);
    void forget_parsed(const pg_link& by);

    // requests that may share a link (pg_lane_shared.cpp)
    void examine(char type, std::size_t total, bytes_view rest);
    bool examine_sequence(bytes_view rest);
    bool examine_one(char type, bytes_view body, bool first);
    bool may_share() const noexcept;
    // How long the request that examine() saw will take; multiplexer::alone: nobody may join it;
    // nullopt: it is not of the kind that shares..
    std::optional<server_time> expected_if_sharable() const noexcept;
    std::size_t share(bytes_view rest);
    std::size_t share_leased(bytes_view rest);
    std::size_t submit(pg_link& link, bytes_view request, server_time expected, pool::slot right);
    const sql::statement_traits& traits_of(std::string_view text);
    statement_ref prepare_unnamed(bytes_view message, bytes_view definition);

    bool opens_transaction(char type, std::size_t total, bytes_view rest) const;
    std::string no_transactions() const;
    bool enough(char type, std::size_t total, bytes_view rest) const noexcept;
    std::size_t relay(std::size_t total, bytes_view rest);
    std::size_t drop(std::size_t total, bytes_view rest);
    std::size_t rewrite_name(bytes_view before,
                             std::string_view name,
                             std::string_view replacement,
                             std::size_t total,
                             bytes_view rest);
    bool rewrite_deallocate(const sql::statement_traits& traits, std::string& text);
    void forward(bytes_view bytes);
    void append_forward();
    void remember(bytes_view request);
    bool send_again(pg_link& lost);
    void protocol_error(std::string_view message);
    void unknown_type(char type);

    void end_lease();
    void greet(const server_parameters& parameters);
    void note(const statement_effects& effects);
    void settle_pins(char status);
    void read_touched_settings();
    void restore_reset_settings();
    bool restore_startup_settings();
    void run_again();
    std::size_t refuse(char type, std::size_t total, bytes_view rest);
    void append_error(client_error code,
                      bool fatal,
                      std::string_view message,
                      std::string_view hint = {});
    std::uint64_t watch(std::string_view text);
    std::uint64_t watched(std::string_view name) const;
    const statement_ref* find_or_unnamed(std::string_view name) const;
    const statement_ref* find_statement(std::string_view name) const;
    bool session_mode() const noexcept { return database_->mode() == pool_mode::session; }
    const char* pinned_by() const noexcept;
    bool pinned() const noexcept { return pins_.pinned() || pinned_for_good_; }

    const std::shared_ptr<pg_database> database_;  // shared with all its clients
    pg_link* link_ = nullptr;                      // leased; owned by the pool
    pg_link* shared_link_ = nullptr;               // has this client's request among others'
    multiplexer& sharing_;
    statement_memory& memory_;
    statement_ref unnamed_;  // what the unnamed statement is, where the gateway prepared it

    std::size_t body_left_ = 0;  // bytes of the current message still to come
    bytes_view raw_;             // to be forwarded, adjacent, inside the bytes being processed
    const std::byte* request_begin_ = nullptr;  // of a request that began in these bytes
    // Digests, as far as they are known: of what an Execute will run, of the unnamed statement.
    std::uint64_t bound_ = 0;
    std::uint64_t unnamed_digest_ = 0;
    bool body_dropped_ = false;
    bool until_sync_ = false;     // the request was refused: its messages are dropped
    bool open_sequence_ = false;  // extended messages were sent and no Sync yet
    bool draining_ = false;
    bool pinned_for_good_ = false;
    bool bound_named_ = false;       // the bytes being processed bind a named statement
    bool fresh_ = false;             // no message of the client's went to link_ yet
    bool settings_changed_ = false;  // for this lease, and the server has not said that it did
    bool sharable_ = false;          // the request that waits for a link may share one
    unsigned returned_ = 0;          // how often the next request came back from a shared link
    bool running_again_ = false;     // it just came back, and is about to run again
    bool replaying_ = false;
    bool replayed_ = false;
    bool touched_all_ = false;
    bool reset_certain_ = false;       // no ROLLBACK undid what `reset_` names
    std::vector<std::string> reset_;   // by RESET: go back to the startup packet's values
    bool failed_ = false;              // an error came since nothing was owed
    bool was_in_transaction_ = false;  // when nothing was owed last
    bool discarded_ = false;           // DISCARD ALL was answered; its ReadyForQuery is to come

    // A time limit ended the client's transaction on the server; it has not ended it yet.
    struct lost_transaction {
        time_limit by = time_limit::transaction;
        bool told = false;
    };
    std::optional<lost_transaction> lost_;

    session_settings startup_;          // what RESET goes back to
    session_settings settings_;         // what the client believes
    std::vector<std::string> touched_;  // settings to ask the server for before the lease ends
    pin_tracker pins_;
    std::vector<statement_effects> unpins_;  // of statements that are not answered yet
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const
        {
            return std::hash<std::string_view>{}(s);
        }
    };
    std::unordered_map<std::string, statement_ref, text_hash, std::equal_to<>> statements_;
    std::vector<std::pair<std::uint64_t, std::string>> parsing_;  // Parse sent, not answered
    // In session mode, while slow statements are logged: digests of the client's statements.
    using digests = std::unordered_map<std::string, std::uint64_t, text_hash, std::equal_to<>>;
    std::unique_ptr<digests> watched_;
};

}  // namespace sluice::gateway
