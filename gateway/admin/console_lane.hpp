// gateway/admin/console_lane.hpp: a client of the console, as far as its protocol does not matter:
// its messages one after another, its answer's rows as it takes them.
//
//   on_data -> take_message() -> execute() -> console -> begin_answer, rows, end_answer
//
// Layer: gateway. Thread: the client's worker.
// Bounds: message_most; rows are encoded `rows_at_once` a turn of the loop, and neither rows nor
// further messages while the client has `unsent_most` to take. While a command runs the client is
// not read from.
#pragma once

#include <memory>

#include "gateway/admin/console.hpp"
#include "gateway/errors.hpp"
#include "gateway/lane.hpp"

namespace sluice::gateway::admin {

class console_lane : public lane {
public:
    console_lane(context& shared, client_channel& channel);
    ~console_lane() override { console_->leave(); }

    void on_data(bytes_view bytes) override;
    void on_drained() override;
    void on_client_gone() override;
    void on_cancel(std::function<void()> done) override;
    void describe(statistics::client_info& into) const override;
    bool quiescent() const noexcept override { return !busy_ && in_.empty(); }
    void request_drain() override;

protected:
    static constexpr std::size_t message_most = 1024 * 1024;

    // --- what a protocol does
    // Takes the next message off in_, if it is whole.
    virtual bool take_message() = 0;
    virtual void begin_answer(const answer& made) = 0;
    virtual void append_row(const answer& made, const row& one) = 0;
    virtual void end_answer(answer made) = 0;
    // As many rows as were wanted are sent; `made` has more.
    virtual void suspend(answer made, std::size_t next) = 0;
    virtual void refuse(const problem& why) = 0;
    virtual void say_goodbye(client_error why) = 0;
    virtual std::size_t rows_wanted() const noexcept { return 0; }  // 0: all

    void execute(const command& what);
    // Rows of `made` from `next` on, `most` at most; 0: all.
    void send(answer made, std::size_t next, std::size_t most);
    void close(std::string_view why);
    session_facts facts() const;

    context& shared_;
    client_channel& channel_;
    byte_queue in_;
    bool closed_ = false;  // or replaced: nobody listens to it any more

private:
    static constexpr std::size_t rows_at_once = 200;
    static constexpr std::size_t unsent_most = 256 * 1024;

    void pump();
    void on_answer(answer made);
    void send_rows();
    void settle();

    std::shared_ptr<console> console_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    answer answer_;
    std::size_t next_row_ = 0;
    std::size_t last_row_ = 0;
    bool sending_ = false;  // rows
    bool waits_for_client_ = false;
    bool busy_ = false;  // a command runs, or its rows are being sent
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    bool pumping_ = false;
    bool draining_ = false;
};

std::unique_ptr<lane> make_pg_console(context& shared, client_channel& channel);
std::unique_ptr<lane> make_my_console(context& shared, client_channel& channel);

}  // namespace sluice::gateway::admin
