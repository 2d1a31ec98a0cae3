// proto/core/errc.cpp: texts of the codes and whom each one blames.
#include "proto/core/errc.hpp"

#include <string>

namespace sluice {
namespace {

class category final : public std::error_category {
public:
    const char* name() const noexcept override { return "sluice"; }

    std::string message(int value) const override
    {
        switch (static_cast<errc>(value)) {
            case errc::truncated_message:
                return "a field runs past the end of its message";
            case errc::trailing_bytes:
                return "a message is longer than its fields";
            case errc::bad_length:
                return "a message length that cannot be";
            case errc::message_too_large:
                return "a message is longer than max_message";
            case errc::bad_message:
                return "a message that the protocol does not allow here";
            case errc::authentication_failed:
                return "authentication failed";
            case errc::pool_timeout:
                return "no backend became free within queue_timeout";
            case errc::pool_queue_full:
                return "more requests wait than max_queued allows";
            case errc::tenant_queue_full:
                return "more requests of the tenant wait than allowed";
            case errc::tenant_timeout:
                return "waited longer than the tenant's queue_timeout";
            case errc::tenant_rate:
                return "more requests of the tenant than max_rate allows";
            case errc::overloaded:
                return "the tenant's requests wait longer than target_delay";
            case errc::pool_closed:
                return "the pool is closed";
            case errc::connect_failed:
                return "the database could not be reached";
            case errc::connect_timeout:
                return "no connection within connect_timeout";
            case errc::backend_lost:
                return "the connection to the database is lost";
            case errc::cancelled:
                return "cancelled";
            case errc::stopped:
                return "the gateway is shutting down";
        }
        return "unknown error";
    }

    std::error_condition default_error_condition(int value) const noexcept override
    {
        switch (static_cast<errc>(value)) {
            case errc::pool_timeout:
            case errc::pool_queue_full:
            case errc::tenant_queue_full:
            case errc::tenant_timeout:
            case errc::tenant_rate:
            case errc::overloaded:
            case errc::pool_closed:
            case errc::stopped:
                return blame::overload;
            case errc::connect_failed:
            case errc::connect_timeout:
            case errc::backend_lost:
                return blame::backend;
            default:
                return blame::client;
        }
    }
};

class blame_names final : public std::error_category {
public:
    const char* name() const noexcept override { return "blame"; }
    std::string message(int value) const override
    {
        switch (static_cast<blame>(value)) {
            case blame::client:
                return "the client";
            case blame::backend:
                return "the backend";
            case blame::overload:
                return "overload";
        }
        return "nobody";
    }
};

}  // namespace

const std::error_category& sluice_category() noexcept
{
    static const category instance;
    return instance;
}

const std::error_category& blame_category() noexcept
{
    static const blame_names instance;
    return instance;
}

}  // namespace sluice
