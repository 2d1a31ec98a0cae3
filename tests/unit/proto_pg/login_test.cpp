// tests/unit/proto_pg/login_test.cpp: scripted logins, whole and failing at each step.
#include "proto/pg/login.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "proto/pg/frame.hpp"
#include "proto/pg/md5.hpp"
#include "unit/proto_pg/login_client.hpp"
#include "unit/proto_pg/scram_client.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::error_of;
using test::password_packet;
using test::sasl_initial;
using test::scram_client;
using test::startup_packet_of;
using test::talk;
using test::wire;

const std::string ssl_request("\0\0\0\x08\x04\xd2\x16\x2f", 8);
const std::string gssenc_request("\0\0\0\x08\x04\xd2\x16\x30", 8);

bool no_randomness(std::span<std::byte>) noexcept
{
    return false;
}

credentials alice()
{
    credentials known;
    known.scram.push_back(make_scram_verifier("secret", "0123456789abcdef", 16));
    known.md5.push_back(make_md5_verifier("secret", "alice"));
    return known;
}

credentials unknown()
{
    credentials mock;
    mock.scram.push_back(mock_scram_verifier("key", "alice", alice().scram.front()));
    mock.md5.push_back(mock_md5_verifier("key", "alice"));
    mock.known = false;
    return mock;
}

// Logs in with SCRAM; the transcript is what the gateway sent.
struct scram_result {
    login_action action{};
    std::string transcript;
    login_failure failure;
};

scram_result scram_login(const credentials& known, const std::string& password)
{
    talk t({.method = auth_method::scram_sha_256});
    EXPECT_EQ(t.say(startup_packet_of({{"user", "alice"}})), login_action::need_credentials);
    t.login.supply(known, t.out);
    scram_client client(password);
    EXPECT_EQ(t.say(sasl_initial(scram_mechanism, client.first())), login_action::read_more);
    const auto action = t.say(password_packet(client.final(t.sasl_challenge())));
    return {action, t.everything_sent(), t.login.failure()};
}

TEST(PgLogin, TrustAsksNobody)
{
    talk t({.method = auth_method::trust});
    const auto packet = startup_packet_of({{"user", "alice"},
                                           {"database", "app"},
                                           {"application_name", "a"},
                                           {"options", "-c x=y"},
                                           {"replication", "off"},
                                           {"application_name", "b"}});
    EXPECT_EQ(t.say(packet), login_action::authenticated);
    EXPECT_EQ(t.sent(), wire("52 00000008 00000000").text());
    EXPECT_EQ(t.login.user(), "alice");
    EXPECT_EQ(t.login.database(), "app");
    EXPECT_EQ(t.login.options(), "-c x=y");
    ASSERT_EQ(t.login.parameters().size(), 1u);
    EXPECT_EQ(t.login.parameters()[0],
              (std::pair<std::string, std::string>("application_name", "b")));
    EXPECT_EQ(t.say(""), login_action::authenticated);
}

TEST(PgLogin, TheDatabaseDefaultsToTheUser)
{
    talk t({.method = auth_method::trust});
    EXPECT_EQ(t.say(startup_packet_of({{"user", "alice"}, {"database", ""}})),
              login_action::authenticated);
    EXPECT_EQ(t.login.database(), "alice");
}

TEST(PgLogin, BytesBehindTheLoginStayWithTheCaller)
{
    talk t({.method = auth_method::trust});
    t.in = startup_packet_of({{"user", "alice"}}) + "Q...";
    EXPECT_EQ(t.say(""), login_action::authenticated);
    EXPECT_EQ(t.in, "Q...");
}

TEST(PgLogin, ScramByteByByte)
{
    talk t({.method = auth_method::scram_sha_256});
    const auto hello = startup_packet_of({{"user", "alice"}});
    EXPECT_EQ(t.dribble(hello), login_action::need_credentials);
    EXPECT_EQ(t.say(""), login_action::need_credentials);
    t.login.supply(alice(), t.out);
    EXPECT_EQ(t.sent(), wire("52 00000017 0000000a 'SCRAM-SHA-256' 00 00").text());
    scram_client client("secret");
    EXPECT_EQ(t.dribble(sasl_initial(scram_mechanism, client.first())), login_action::read_more);
    EXPECT_EQ(t.dribble(password_packet(client.final(t.sasl_challenge()))),
              login_action::authenticated);
    const auto sent = t.sent();
    ASSERT_GT(sent.size(), 18u);
    EXPECT_TRUE(client.trusts(sent.substr(9, sent.size() - 18)));
    EXPECT_TRUE(sent.ends_with(wire("52 00000008 00000000").text()));
    EXPECT_TRUE(t.login.known().scram.empty()) << "verifiers are forgotten once used";
}

TEST(PgLogin, AnInitialResponseMayComeWithoutData)
{
    talk t({.method = auth_method::scram_sha_256});
    t.say(startup_packet_of({{"user", "alice"}}));
    t.login.supply(alice(), t.out);
    (void)t.sent();
    EXPECT_EQ(t.say(std::string(wire("70 00000016 'SCRAM-SHA-256' 00 ffffffff").text())),
              login_action::read_more);
    EXPECT_EQ(t.sent(), wire("52 00000008 0000000b").text());
    scram_client client("secret");
    EXPECT_EQ(t.say(password_packet(client.first())), login_action::read_more);
    EXPECT_EQ(t.say(password_packet(client.final(t.sasl_challenge()))),
              login_action::authenticated);
}

TEST(PgLogin, AWrongPasswordAndAnUnknownUserLookAlike)
{
    const auto wrong = scram_login(alice(), "wrong");
    const auto nobody = scram_login(unknown(), "secret");
    EXPECT_EQ(wrong.action, login_action::failed);
    EXPECT_EQ(nobody.action, login_action::failed);
    EXPECT_EQ(wrong.failure.sqlstate, "28P01");
    EXPECT_EQ(wrong.failure.message, "password authentication failed for user \"alice\"");
    EXPECT_EQ(nobody.failure.message, wrong.failure.message);
    EXPECT_NE(nobody.failure.reason, wrong.failure.reason) << "the log may tell them apart";
    EXPECT_EQ(nobody.transcript.size(), wrong.transcript.size());
    const auto from = [](const std::string& transcript) {
        return transcript.substr(transcript.find("SFATAL"));
    };
    EXPECT_EQ(from(nobody.transcript), from(wrong.transcript));
    EXPECT_EQ(scram_login(alice(), "secret").action, login_action::authenticated);
}

TEST(PgLogin, NoCredentialsAtAllFailLikeAWrongPassword)
{
    const auto result = scram_login({}, "");
    EXPECT_EQ(result.action, login_action::failed);
    EXPECT_EQ(result.failure.sqlstate, "28P01");
}

TEST(PgLogin, Md5)
{
    for (const bool right : {true, false}) {
        talk t({.method = auth_method::md5});
        t.say(startup_packet_of({{"user", "alice"}}));
        t.login.supply(alice(), t.out);
        const auto request = t.sent();
        ASSERT_EQ(request.size(), 13u);
        const auto salt = as_bytes(request).subspan(9);
        const auto verifier = make_md5_verifier(right ? "secret" : "wrong", "alice");
        EXPECT_EQ(t.say(password_packet(md5_response(verifier, salt) + '\0')),
                  right ? login_action::authenticated : login_action::failed);
        EXPECT_EQ(t.login.failure().sqlstate, right ? "" : "28P01");
    }
}

TEST(PgLogin, Md5FallsBackToScramForThoseWithoutAnMd5Verifier)
{
    talk t({.method = auth_method::md5});
    t.say(startup_packet_of({{"user", "alice"}}));
    auto known = alice();
    known.md5.clear();
    t.login.supply(known, t.out);
    EXPECT_EQ(t.sent(), wire("52 00000017 0000000a 'SCRAM-SHA-256' 00 00").text());
}

TEST(PgLogin, CleartextIsCheckedByTheCaller)
{
    for (const char* password : {"secret", "wrong", ""}) {
        talk t({.method = auth_method::cleartext});
        t.say(startup_packet_of({{"user", "alice"}}));
        t.login.supply(alice(), t.out);
        EXPECT_EQ(t.sent(), wire("52 00000008 00000003").text());
        EXPECT_EQ(t.say(password_packet(std::string(password) + '\0')),
                  login_action::check_password);
        EXPECT_EQ(t.login.password(), password);
        const bool matches = password_matches(t.login.known(), "alice", t.login.password());
        EXPECT_EQ(matches, std::string_view(password) == "secret");
        t.login.password_checked(matches, t.out);
        EXPECT_EQ(t.say(""), matches ? login_action::authenticated : login_action::failed);
        EXPECT_TRUE(t.login.password().empty());
    }
    EXPECT_FALSE(password_matches(unknown(), "alice", "secret"));
    EXPECT_FALSE(password_matches({}, "alice", ""));
}

TEST(PgLogin, TlsAndItsRefusal)
{
    talk off({.method = auth_method::trust});
    EXPECT_EQ(off.say(gssenc_request), login_action::read_more);
    EXPECT_EQ(off.sent(), "N");
    EXPECT_EQ(off.say(ssl_request), login_action::read_more);
    EXPECT_EQ(off.sent(), "N");
    EXPECT_EQ(off.say(startup_packet_of({{"user", "a"}})), login_action::authenticated);
    EXPECT_FALSE(off.login.tls_active());

    talk on({.method = auth_method::trust, .tls = client_tls::require});
    EXPECT_EQ(on.say(ssl_request), login_action::start_tls);
    EXPECT_EQ(on.sent(), "S");
    EXPECT_EQ(on.say("anything"), login_action::start_tls);
    on.in.clear();
    on.login.tls_started("");
    EXPECT_EQ(on.say(startup_packet_of({{"user", "a"}})), login_action::authenticated);
    EXPECT_TRUE(on.login.tls_active());
}

TEST(PgLogin, RequestsOutOfOrderAreRefused)
{
    for (const auto& twice : {ssl_request, gssenc_request}) {
        talk t({.method = auth_method::trust});
        t.say(twice);
        EXPECT_EQ(t.say(twice), login_action::failed);
        EXPECT_EQ(t.login.failure().sqlstate, "08P01");

        talk inside({.method = auth_method::trust, .tls = client_tls::prefer});
        inside.say(ssl_request);
        inside.login.tls_started("");
        EXPECT_EQ(inside.say(twice), login_action::failed);
    }
}

TEST(PgLogin, PlainBytesBehindAnSslRequestAreAnAttack)
{
    talk t({.method = auth_method::trust, .tls = client_tls::prefer});
    EXPECT_EQ(t.say(ssl_request + startup_packet_of({{"user", "a"}})), login_action::failed);
    EXPECT_EQ(error_of(t.sent()).sqlstate, "08P01");
    talk one({.method = auth_method::trust, .tls = client_tls::prefer});
    EXPECT_EQ(one.say(ssl_request + "x"), login_action::failed);
}

TEST(PgLogin, RequiredTlsIsNamedInTheError)
{
    talk t({.method = auth_method::trust, .tls = client_tls::require});
    EXPECT_EQ(t.say(startup_packet_of({{"user", "a"}})), login_action::failed);
    const auto sent = t.sent();
    EXPECT_EQ(error_of(sent).sqlstate, "28000");
    EXPECT_EQ(error_of(sent).severity, "FATAL");
    EXPECT_NE(error_of(sent).message.find("TLS"), std::string_view::npos);
}

TEST(PgLogin, ChannelBindingIsOfferedUnderTls)
{
    talk t({.method = auth_method::scram_sha_256, .tls = client_tls::prefer});
    t.say(ssl_request);
    t.login.tls_started("certificate hash");
    t.say(startup_packet_of({{"user", "alice"}}));
    t.sent();
    t.login.supply(alice(), t.out);
    EXPECT_EQ(t.sent(),
              wire("52 0000002a 0000000a 'SCRAM-SHA-256-PLUS' 00 'SCRAM-SHA-256' 00 00").text());
    scram_client client("secret", "p=tls-server-end-point,,", "certificate hash");
    t.say(sasl_initial(scram_plus_mechanism, client.first()));
    EXPECT_EQ(t.say(password_packet(client.final(t.sasl_challenge()))),
              login_action::authenticated);
}

TEST(PgLogin, NewerProtocolsAreNegotiatedDown)
{
    talk t({.method = auth_method::trust});
    EXPECT_EQ(t.say(startup_packet_of({{"user", "a"}, {"_pq_.x", "1"}}, 0x00030002)),
              login_action::authenticated);
    EXPECT_EQ(t.sent(),
              wire("76 00000013 00030000 00000001 '_pq_.x' 00  52 00000008 00000000").text());
    EXPECT_TRUE(t.login.parameters().empty());
}

TEST(PgLogin, CancelRequests)
{
    talk t({.method = auth_method::scram_sha_256, .tls = client_tls::require});
    EXPECT_EQ(t.say(std::string(wire("00000012 04d2162e 00000007 010203040506").text())),
              login_action::cancel);
    EXPECT_EQ(t.login.cancel_pid(), 7u);
    EXPECT_EQ(as_text(t.login.cancel_key()), "\1\2\3\4\5\6");
    EXPECT_TRUE(t.sent().empty());
}

TEST(PgLogin, RefusedStartups)
{
    struct refusal {
        const char* name;
        std::string packet;
        const char* sqlstate;
    };
    std::vector<std::pair<std::string, std::string>> many{{"user", "a"}};
    for (std::size_t i = 0; i <= startup_parameters_max; ++i)
        many.emplace_back("p" + std::to_string(i), "");
    const refusal table[] = {
        {"no user", startup_packet_of({{"database", "x"}}), "28000"},
        {"empty user", startup_packet_of({{"user", ""}}), "28000"},
        {"replication", startup_packet_of({{"user", "a"}, {"replication", "true"}}), "0A000"},
        {"database", startup_packet_of({{"user", "a"}, {"replication", "database"}}), "0A000"},
        {"too many", startup_packet_of(many), "54000"},
        {"zeros", std::string(1000, '\0'), "08P01"},
        {"HTTP", "GET / HTTP/1.1\r\n\r\n", "08P01"},
        {"protocol 2", std::string(wire("00000128 00020000").text()), "0A000"},
        {"no terminator", std::string(wire("0000000b 00030000 'abc'").text()), "08P01"},
    };
    for (const auto& entry : table) {
        talk t({.method = auth_method::trust});
        EXPECT_EQ(t.say(entry.packet), login_action::failed) << entry.name;
        const auto sent = t.sent();
        EXPECT_EQ(error_of(sent).sqlstate, entry.sqlstate) << entry.name;
        EXPECT_EQ(error_of(sent).severity, "FATAL") << entry.name;
        EXPECT_FALSE(t.login.failure().reason.empty());
        EXPECT_EQ(t.say(startup_packet_of({{"user", "a"}})), login_action::failed) << "for good";
        EXPECT_TRUE(t.sent().empty());
    }
    for (const char* value : {"", "0", "f", "FALSE", "no", "of", "off"}) {
        talk t({.method = auth_method::trust});
        const bool served = t.say(startup_packet_of({{"user", "a"}, {"replication", value}})) ==
                            login_action::authenticated;
        EXPECT_EQ(served, *value != '\0') << value;
    }
}

// Each message that does not belong, at each point where a password message is awaited.
TEST(PgLogin, EachStepRefusesWhatDoesNotBelong)
{
    const std::pair<const char*, std::string> table[] = {
        {"Query", std::string(wire("51 00000005 00").text())},
        {"garbage", std::string("\xff\xff\xff\xff\xff", 5)},
        {"length zero", std::string("p\0\0\0\0", 5)},
        {"length three", std::string("p\0\0\0\3", 5)},
        {"two gigabytes", std::string("p\x7f\xff\xff\xff", 5)},
        {"one past the limit", std::string("p\0\0\x40\x05", 5)},
        {"empty", std::string("p\0\0\0\4", 5)},
        {"no end", std::string("p\0\0\0\5x", 6)},
    };
    for (const auto method :
         {auth_method::scram_sha_256, auth_method::md5, auth_method::cleartext}) {
        for (const auto& [name, packet] : table) {
            talk t({.method = method});
            t.say(startup_packet_of({{"user", "alice"}}));
            t.login.supply(alice(), t.out);
            t.sent();
            EXPECT_EQ(t.say(packet), login_action::failed) << name;
            EXPECT_EQ(error_of(t.sent()).sqlstate, "08P01") << name;
        }
        const bool clear = method == auth_method::cleartext;
        const auto most = clear ? password_message_max : proof_message_max;
        for (const bool fits : {true, false}) {
            byte_queue header;
            header.append_byte('p');
            header.append_be(static_cast<std::uint32_t>(length_size + most + (fits ? 0 : 1)));
            talk t({.method = method});
            t.say(startup_packet_of({{"user", "alice"}}));
            t.login.supply(alice(), t.out);
            EXPECT_EQ(t.say(as_text(header.readable())),
                      fits ? login_action::read_more : login_action::failed);
        }
        talk gone({.method = method});
        gone.say(startup_packet_of({{"user", "alice"}}));
        gone.login.supply(alice(), gone.out);
        gone.sent();
        EXPECT_EQ(gone.say(std::string("X\0\0\0\4", 5)), login_action::gone);
        EXPECT_TRUE(gone.sent().empty());
    }
}

TEST(PgLogin, SaslMessagesThatDoNotBelong)
{
    scram_client client("secret");
    const std::string bad_initials[] = {
        sasl_initial("PLAIN", client.first()),
        sasl_initial(scram_plus_mechanism, client.first()),  // not offered without TLS
        sasl_initial(scram_mechanism, "nonsense"),
        std::string(wire("70 0000001a 'SCRAM-SHA-256' 00 000000ff 'n,,n'").text()),
        std::string(wire("70 0000001a 'SCRAM-SHA-256' 00 00000001 'n,,n'").text()),
    };
    for (const auto& initial : bad_initials) {
        talk t({.method = auth_method::scram_sha_256});
        t.say(startup_packet_of({{"user", "alice"}}));
        t.login.supply(alice(), t.out);
        t.sent();
        EXPECT_EQ(t.say(initial), login_action::failed);
        EXPECT_EQ(error_of(t.sent()).sqlstate, "08P01");
    }
    talk t({.method = auth_method::scram_sha_256});
    t.say(startup_packet_of({{"user", "alice"}}));
    t.login.supply(alice(), t.out);
    t.say(sasl_initial(scram_mechanism, client.first()));
    t.sent();
    EXPECT_EQ(t.say(password_packet("c=biws,r=x,p=AAAA")), login_action::failed);
    EXPECT_EQ(error_of(t.sent()).sqlstate, "08P01");
}

TEST(PgLogin, WithoutRandomnessNobodyGetsIn)
{
    for (const auto method : {auth_method::scram_sha_256, auth_method::md5}) {
        talk t({.method = method, .random = no_randomness});
        t.say(startup_packet_of({{"user", "alice"}}));
        t.login.supply(alice(), t.out);
        EXPECT_EQ(t.say(""), login_action::failed);
        EXPECT_EQ(error_of(t.sent()).sqlstate, "58000");
    }
}

TEST(PgLogin, TheCallerMayRefuseAtAnyTime)
{
    talk t({.method = auth_method::scram_sha_256});
    t.say(startup_packet_of({{"user", "alice"}}));
    t.login.refuse({.severity = "FATAL", .sqlstate = "53300", .message = "full"}, "full", t.out);
    EXPECT_EQ(t.say(""), login_action::failed);
    EXPECT_EQ(error_of(t.sent()).sqlstate, "53300");
}

TEST(PgLogin, EveryNonceIsFresh)
{
    std::vector<std::string> challenges;
    for (int i = 0; i < 8; ++i) {
        talk t({.method = auth_method::scram_sha_256});
        t.say(startup_packet_of({{"user", "alice"}}));
        t.login.supply(alice(), t.out);
        t.say(sasl_initial(scram_mechanism, scram_client("x").first()));
        challenges.push_back(t.sasl_challenge());
    }
    std::sort(challenges.begin(), challenges.end());
    EXPECT_EQ(std::unique(challenges.begin(), challenges.end()), challenges.end());
}

}  // namespace
}  // namespace sluice::pg
