// gateway/relay/my_link_time.cpp: how long the server has been at something, and ending it.
#include "gateway/relay/my_link.hpp"

namespace sluice::gateway {

// Before a command is entered.
void my_link::note_begin() noexcept
{
    if (tracker_.empty())
        note_end();
}

// The server has answered, and begins with what comes next if that was sent already.
void my_link::note_end() noexcept
{
    busy_since_ = poller_time();
    if (!in_transaction())
        transaction_since_ = busy_since_;
}

void my_link::cancel_for_time(std::string error, std::function<void()> done)
{
    cancel_error_ = std::move(error);
    cancel(std::move(done));
}

bool my_link::end_time_out()
{
    cancel_error_.clear();
    if (!std::exchange(was_cancelled_, false))
        return false;
    run_internal(internal::ignored, mysql::command::query, "DO 0");
    flush();
    return true;
}

void my_link::roll_back()
{
    run_internal(internal::rollback, mysql::command::query, "ROLLBACK");
    flush();
}

}  // namespace sluice::gateway
