// gateway/tenants/refusals.cpp: limit, value and setting of each refusal.
#include "gateway/tenants/refusals.hpp"

#include "proto/core/errc.hpp"

namespace sluice::gateway {
namespace {

std::string ms(std::chrono::milliseconds time)
{
    return std::to_string(time.count()) + " ms";
}

// 1000, 2.5
std::string plain(double number)
{
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text;
}

}  // namespace

std::optional<tenant_refusal> explain_tenant_refusal(std::error_code why,
                                                     const pool::tenant& who,
                                                     const std::string& section)
{
    const auto& limits = who.limits();
    const std::string tenant = "tenant \"" + who.name() + "\"";
    const std::string raise = " in " + section;
    if (why == errc::tenant_queue_full)
        return tenant_refusal{client_error::queue_full,
                              "too many requests of " + tenant + " are waiting (max_queued = " +
                                  std::to_string(limits.max_queued) + ")",
                              "Send fewer requests at once, or raise max_queued" + raise + "."};
    if (why == errc::tenant_timeout) {
        const std::string most =
            limits.max_concurrent > 0
                ? " (max_concurrent = " + std::to_string(limits.max_concurrent) + ") "
                : " ";
        return tenant_refusal{client_error::queue_timeout,
                              "a request of " + tenant + most +
                                  "waited for longer than queue_timeout (" +
                                  ms(limits.queue_timeout) + ")",
                              "Send fewer requests at once, or raise max_concurrent or "
                              "queue_timeout" +
                                  raise + "."};
    }
    if (why == errc::tenant_rate)
        return tenant_refusal{client_error::rate_exceeded,
                              tenant + " sends more requests than max_rate (" +
                                  plain(limits.max_rate) + " per second) allows",
                              "Send fewer requests, or raise max_rate or burst" + raise + "."};
    if (why == errc::overloaded)
        return tenant_refusal{client_error::overloaded,
                              "requests of " + tenant + " wait for longer than target_delay (" +
                                  ms(limits.target_delay) + "): the newest are refused",
                              "Send fewer requests at once, raise pool.size, or raise weight or "
                              "target_delay" +
                                  raise + "."};
    return std::nullopt;
}

}  // namespace sluice::gateway
