// Package ccm reports on a missionary training centre (Centro de Capacitación
// Misional) from its MySQL database to a Telegram chat: who arrives, whose
// birthday is near, and alerts. It is the whole service, for a Go program to
// import; package [github.com/ccmwf/ccm/ccm/httpapi] puts it behind HTTP.
//
//  1. [ParseEnv] makes a [Config] of environment variables, or write one: the
//     zero Config works as far as it can. Every fault is named at once.
//  2. [Open] makes a [Client] of it. Nothing is dialled before it is needed;
//     [Client.Close] ends it.
//  3. [Client.Arrivals], [Client.Birthdays], [Client.BranchSummary] and
//     [Client.KPIs] answer a [Query] with a [Dataset]: typed records that obey
//     the rules, and a [Meta] that says where they came from.
//  4. [Client.SendArrivals], [Client.SendBirthdays] and [Client.SendAlert] send
//     a message, in as many parts as it takes, and answer with a [Receipt].
//     With SendOptions.DryRun they only render it; with SendOptions.Key the
//     same request is sent once.
//  5. [Client.Deliveries] lists what was sent, and a person decides what is in
//     doubt: [Client.ResendDelivery], [Client.DiscardDelivery]. A service calls
//     [Client.Recover] every few seconds. With a Config.Journal of package
//     [github.com/ccmwf/ccm/ccm/delivery] all of it holds over replicas and
//     restarts; without one, in this process.
//  6. An error is an [*Error]: [CodeOf] classifies it, its Message is Spanish
//     and says what to mend.
//
// # What is promised
//
// Each part of a message is delivered at most once by itself: it is repeated
// only when it surely was not sent, or was refused. What cannot be known is
// [Uncertain], and a person decides.
//
// A dataset is served from the cache while it is fresh. While the database is
// away an older one stands in, marked as stale, up to Config.MaxStale; one of
// another day without what is past. An answer that breaks the rules is an
// error, and nothing stands in for it: the database is there, and wrong.
// "Today" is the day in Config.Location.
//
// # Logs
//
// Config.Logger gets one line for each call to the database, the cache, the
// journal and Telegram (DEBUG) and for each send (INFO, WARN, ERROR), in Spanish, with the
// keys etapa, message_id, branch_id, dataset_id, cache_hit, telegram_chat_id,
// records_sent, records_processed, records_skipped, duration_ms, error_code and
// reason. [WithMessageID] sets the message_id, and [WithTimings] adds up the
// times of one request. Names, texts and secrets are in no line and no error.
package ccm
