// gateway/pg_front.cpp: the login of a PostgreSQL client.
#include <cstdint>

#include "gateway/context.hpp"
#include "gateway/front.hpp"
#include "gateway/tenants/identify.hpp"
#include "gateway/tls.hpp"
#include "proto/core/bytes.hpp"
#include "proto/pg/login.hpp"

namespace sluice::gateway {
namespace {

pg::login_options login_options_of(const config& settings)
{
    pg::login_options options;
    switch (settings.auth.method) {
        case auth_method::scram_sha_256:
            options.method = pg::auth_method::scram_sha_256;
            break;
        case auth_method::md5:
            options.method = pg::auth_method::md5;
            break;
        case auth_method::trust:
            options.method = pg::auth_method::trust;
            break;
    }
    switch (settings.listen.tls.mode) {
        case tls_mode::off:
            options.tls = pg::client_tls::off;
            break;
        case tls_mode::prefer:
            options.tls = pg::client_tls::prefer;
            break;
        case tls_mode::require:
        case tls_mode::verify:
            options.tls = pg::client_tls::require;
            break;
    }
    return options;
}

class pg_front final : public front {
public:
    pg_front(context& shared, const generation& rules)
        : shared_(shared), rules_(rules), login_(login_options_of(rules.settings))
    {
    }

    void greet(byte_queue&) override {}

    front_action step(bytes_view input, std::size_t& consumed, byte_queue& out) override
    {
        for (;;) {
            std::size_t taken = 0;
            const auto action = login_.step(input.subspan(consumed), taken, out);
            consumed += taken;
            switch (action) {
                case pg::login_action::need_credentials:
                    login_.supply(rules_.users.credentials_for(name()), out);
                    break;
                case pg::login_action::read_more:
                    return front_action::read_more;
                case pg::login_action::start_tls:
                    return front_action::start_tls;
                case pg::login_action::check_password:
                    return front_action::check_password;
                case pg::login_action::authenticated:
                    return front_action::authenticated;
                case pg::login_action::cancel:
                    return front_action::cancel;
                case pg::login_action::failed:
                    return front_action::failed;
                case pg::login_action::gone:
                    return front_action::gone;
            }
        }
    }

    std::size_t read_max() const noexcept override { return SIZE_MAX; }
    void tls_started(SSL* ssl) override { login_.tls_started(certificate_end_point(ssl)); }

    std::function<bool()> password_check() override
    {
        return [known = login_.known(), user = name(), password = login_.password()] {
            return pg::password_matches(known, user, password);
        };
    }

    void password_checked(bool matches, byte_queue& out) override
    {
        login_.password_checked(matches, out);
    }

    std::optional<client_address> cancelled() override
    {
        const auto words = cancel_request();
        return words ? shared_.cancels.find(words->pid, words->key) : std::nullopt;
    }

    std::optional<cancel_words> cancel_request() const override
    {
        const auto key = login_.cancel_key();
        if (key.size() != 4)
            return std::nullopt;
        return cancel_words{login_.cancel_pid(), load_be<std::uint32_t>(key.data())};
    }

    void introduce(client_identity& who) override
    {
        who.user = login_.user();
        who.database = login_.database();
        who.parameters = login_.parameters();
        if (!login_.options().empty())
            who.parameters.emplace_back("options", login_.options());
    }

    const std::string& user() const noexcept override { return login_.user(); }
    std::string failure() const override { return login_.failure().reason; }
    std::uint8_t sequence() const noexcept override { return 0; }

private:
    // Whose password it is: without the tenant.
    std::string name() const
    {
        return std::string(login_name(rules_.settings.tenants, login_.user()));
    }

    context& shared_;
    const generation& rules_;
    pg::login_machine login_;
};

}  // namespace

std::unique_ptr<front> make_pg_front(context& shared, const generation& rules)
{
    return std::make_unique<pg_front>(shared, rules);
}

}  // namespace sluice::gateway
