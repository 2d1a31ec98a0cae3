// gateway/translate/dialogue.hpp: a client talking to a SQLite file, as far as its protocol does
// not matter: bytes in, one message after another answered, rows out, cancelled, drained, gone.
//
//   on_data -> arrived_ -> run(): one message after another -> sqlite::session -> replies ->
//   channel
//
// Layer: gateway. One loop thread. run() is a coroutine that lives while there are whole messages
// to answer; an idle client has none. It holds a shared_ptr: an operation of the engine may end
// after the client is gone, and then finds gone_ set and the channel null.
// Bounds: what is kept of a client's requests (`requests_max` above the message in progress, then
// reading stops); rows under way (row_stream).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include "drivers/sqlite/engine.hpp"
#include "gateway/admin/gate.hpp"
#include "gateway/deadlines/sweep_list.hpp"
#include "gateway/deadlines/time_limits.hpp"
#include "gateway/errors.hpp"
#include "gateway/lane.hpp"
#include "gateway/statistics/request_meter.hpp"
#include "gateway/tenants/refusals.hpp"
#include "gateway/tenants/table.hpp"
#include "gateway/translate/row_stream.hpp"
#include "pool/admission.hpp"

// GCC 12.2 warns of coroutine frames whose operator new it inlined and whose delete it did not.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace sluice::gateway {

class translated_texts;

inline constexpr std::size_t requests_max = 256 * 1024;

struct translate_options {
    std::size_t max_message = std::size_t{1} << 30;
    admin::gate* way_in = nullptr;            // outlives every dialogue; null: always open
    std::chrono::milliseconds pause_most{0};  // how long a client waits for it; 0: no limit
    client_limits_in_force limits;
    std::shared_ptr<pool::tenant> tenant;     // whose max_buffer holds; null: none does
    sweep_list* sweeps = nullptr;             // the worker's; null: nobody looks
    std::shared_ptr<pool::admission> places;  // null: any number of statements at once
    const tenant_table* tenants = nullptr;    // with `places`; outlives every dialogue
    translated_texts* texts = nullptr;        // the worker's; outlives every dialogue; may be null
};

class dialogue : public std::enable_shared_from_this<dialogue>, private swept {
public:
    virtual ~dialogue();

    virtual void start() = 0;
    void take(bytes_view bytes);
    void drained();
    void gone();
    void cancel();
    bool quiescent() const noexcept;
    void describe(statistics::client_info& into) const;
    void request_drain();

protected:
    dialogue(client_channel& channel, sqlite::database& on, translate_options with);

    // The protocol's part. Whether work_ begins with a whole message; refill() adds what arrived.
    virtual bool more_messages() = 0;
    // Answers it and says how many bytes of work_ it was.
    virtual asio::awaitable<std::size_t> answer_next() = 0;
    // The same if nobody has to be waited for. 0: nothing has happened, answer_next() shall do it.
    virtual std::size_t answer_at_once() { return 0; }
    virtual void close_with_error(client_error why) = 0;
    virtual bool between_transactions() const noexcept = 0;
    // A transaction is open that is not lost already, and the word is the client's.
    virtual bool may_lose_transaction() const noexcept = 0;
    // Rolls it back; the client hears of it with its next statement.
    virtual asio::awaitable<void> lose_transaction(time_limit by) = 0;
    // Whether the message runs a statement, which has to wait for its turn.
    virtual bool wants_turn() const noexcept = 0;
    // Answers it with this error; says how many bytes of work_ it was.
    virtual std::size_t refuse_next(const tenant_refusal& why) = 0;

    bool over() const noexcept { return gone_ || closing_; }
    bool refill();
    void close_now(std::string_view why);
    // Between two turns of the loop, too: the clock is asked.
    static statistics::time_point now() noexcept { return statistics::time_point::clock::now(); }
    void begin_request() noexcept
    {
        if (meter_.open() && !meter_.waiting())
            return;
        const auto at = now();
        meter_.begin(at);
        meter_.granted(at);
    }
    void wait_in_meter() noexcept
    {
        meter_.begin(now());
        meter_.wait();
    }

    void connect(const std::shared_ptr<row_stream>& rows);
    // What an operation left behind: goes out with the end of the reply, unless it is much.
    void send_rest(byte_queue rest);
    asio::awaitable<void> wait_for_client();
    asio::awaitable<sqlite::outcome> call_engine(sqlite::session::verb what, std::string name);

    // --- time limits (dialogue_time.cpp)
    // Before the engine runs something: for how long it may.
    void arm_limits() noexcept;
    // Puts the limit that ended something into the gateway's words. Says which it was.
    std::optional<time_limit> explain_limit(sqlite::sql_error& error);

    client_channel* channel_;
    asio::io_context& io_;
    sqlite::session session_;
    translate_options options_;
    statistics::request_meter meter_;

    byte_queue arrived_;  // not looked at yet
    byte_queue work_;     // messages being answered: stable while one is
    bool busy_ = false;
    bool gone_ = false;
    bool closing_ = false;
    bool cancelled_ = false;
    const client_limits_in_force limits_;
    std::optional<time_limit> untold_;  // ended the transaction, and the client does not know

private:
    void sweep(std::chrono::steady_clock::time_point now) override;
    asio::awaitable<void> expire(std::shared_ptr<dialogue> self);
    void note_begin() noexcept;
    void watch_time() noexcept;
    void count_held() noexcept;
    asio::awaitable<void> run(std::shared_ptr<dialogue> self);
    bool run_at_once();
    void answered(std::size_t bytes);
    void end_run();
    asio::awaitable<void> go_in();
    bool walk_in() noexcept;
    void come_out() noexcept;
    bool ask_for_turn();
    asio::awaitable<void> take_turn();
    void end_turn();
    tenant_refusal explain_refusal() const;

    // Its place in the line of those who want a statement run.
    class turn final : public pool::admission::guest {
    public:
        explicit turn(dialogue& of) : of_(of) {}
        void enroll_with(pool::account_ref account) { enroll(std::move(account)); }
        void on_admitted() override { of_.client_took_.cancel(); }
        void on_refused(std::error_code code, const std::string&) override
        {
            refused = code;
            of_.client_took_.cancel();
        }
        std::uint64_t client_id() const noexcept override { return of_.client_id_; }
        std::error_code refused;
        bool waiting = false;

    private:
        dialogue& of_;
    };
    void after_run();
    void send_rows(byte_queue rows, row_stream& from);

    bool draining_ = false;
    bool reading_ = true;
    bool inside_ = false;       // counted by the gate
    bool held_ = false;         // waits for the gate
    std::int64_t counted_ = 0;  // bytes that its tenant knows of
    const std::size_t worker_;
    asio::steady_timer client_took_;
    std::chrono::steady_clock::time_point transaction_since_{};
    time_limit running_under_ = time_limit::statement;
    const std::uint64_t client_id_;
    const std::shared_ptr<pool::tenant> tenant_;  // keeps it, for what is said of it
    turn turn_{*this};
};

}  // namespace sluice::gateway
