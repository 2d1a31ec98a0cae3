// gateway/control.cpp: passing on what is asked of the gateway as a whole.
#include "gateway/control.hpp"

#include <asio/post.hpp>

namespace sluice::gateway {

void control::reload(asio::io_context& loop, reload_done done) const
{
    if (!hooks_.reload)
        return;
    hooks_.reload([&loop, done = std::move(done)](const reload_report& made) {
        if (done)
            asio::post(loop, [done, made] { done(made); });
    });
}

void control::change(setting wanted, asio::io_context& loop, reload_done done) const
{
    if (!hooks_.change)
        return;
    hooks_.change(std::move(wanted), [&loop, done = std::move(done)](const reload_report& made) {
        if (done)
            asio::post(loop, [done, made] { done(made); });
    });
}

void control::shut_down(shutdown_mode how) const
{
    if (hooks_.shut_down)
        hooks_.shut_down(how);
}

}  // namespace sluice::gateway
