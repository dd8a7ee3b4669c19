// Waconcile turns daily exports of WhatsApp messages into charges by
// conversation, and compares them with the provider's invoices.
//
// # Commands
//
//	waconcile demo            make a month of inputs and run the job on it
//	waconcile doctor          check everything that a run needs
//	waconcile plan            print what a run would read and write
//	waconcile run             publish the charges of a period; --simulate bills nothing
//	waconcile verify [RUN]    read a published run back and check it
//	waconcile close MONTH     close a month: what is billed no longer changes
//	waconcile diff A B        say which charges differ between two runs, and why
//	waconcile gc              say what dead runs left behind; --delete removes it
//	waconcile rates lint      look for what is wrong with rates, accounts, markets and recharges
//	waconcile rates diff A B  say which prices differ between two rate books
//	waconcile rates show      say what one conversation costs, and which rows say so
//	waconcile bench           measure what the job costs, against a bare decode
//	waconcile version         print the versions of program, rules and format
//
// waconcile help COMMAND lists the flags of a command. Begin with the demo:
//
//	waconcile demo --dir waconcile-demo
//	waconcile run --config waconcile-demo/waconcile.yaml
//	waconcile verify --config waconcile-demo/waconcile.yaml
//
// # Settings
//
// Every setting can stand in a flag, in the environment, or in the YAML file
// that --config or WACONCILE_CONFIG names. A flag beats the environment, the
// environment beats the file, and the file beats the default. The variable of
// --max-reject-ratio is WACONCILE_MAX_REJECT_RATIO; an empty variable counts
// as none. In the file the name is max_reject_ratio or max-reject-ratio, and a
// name that is no setting is an error:
//
//	period: yesterday
//	time_zone: Europe/Rome
//	exports: s3://messages/exports
//	rates: rates.csv
//	accounts: accounts.csv
//	out: s3://billing/waconcile
//	complete_marker: _SUCCESS
//	columns:
//	  message_id: id
//	ignore_types: [reaction, system, note]
//
// A place is s3://bucket/prefix or a path. A relative path on the command line
// or in the environment begins at the current directory, one in the file at
// the directory of the file. Credentials and the region of buckets come from
// where the AWS tools take them. For a store other than AWS --s3-endpoint is
// its URL, and --s3-path-style is what most of them want.
//
// --period takes 2024-07, 2024-07-03, 2024-07-01..2024-07-15, yesterday,
// month-to-date and last-month. The last three are resolved at --now (by
// default the clock) in --time-zone (by default UTC).
//
// --memory is what a run keeps within, by default the container's limit or the
// memory of the machine. Where a month does not fit, contacts are split by hash
// into shares, and the exports are read once for each: the run gets slower, and
// comes to the same bytes. plan says how many passes it takes, the log of the run
// too. Nine tenths of --memory, or 40 MiB less than it, but never less than three
// quarters, become the limit of the garbage collector, unless GOMEMLIMIT is set.
// Each pass takes some 20 MiB and 17 for each worker, however little it has to
// hold: where that is more than half of the memory a run has fewer workers than
// --workers says, and less than some 100 MiB cannot be kept within.
//
// # Margin
//
// --cost-rates and --cost-accounts are what the provider charges, --cost-markets
// its own table of markets. A run that has them prices every conversation by
// both books: charges and summary have what it costs, the summary and the report
// its margin. --fx are the exchange rates date,from,to,rate of costs in another
// currency. Invoices are then compared with the provider's book, unless
// --invoice-book is sell.
//
// # Output
//
// What a command found out goes to stdout: as text, or with --json as one
// JSON object on one line. The log goes to stderr: on a terminal as text, with
// a progress bar while rows are read; otherwise as JSON lines, and then run
// prints what --json does. --log-format text or json settles it. The last line
// of a command that failed says what failed and what to do next.
//
// --fail-on differences asks for exit code 3 where the differences table has a
// row of a class other than match, rounding and outside_period; --fail-on
// findings where the findings table has a row. The run is published all the
// same.
//
// # Before a run
//
// doctor takes the settings of a run and makes every check that it can: the
// settings, the way to each bucket, credentials, each place and table, what a
// run does in --out, prices, days, files, accounts, memory and room. A check
// that does not hold keeps only those from being made that need it, and says
// what to do. The first such check decides the exit code. It writes what the
// store is probed by and nothing else; waconcile help doctor lists the checks.
//
// # Prices
//
// rates lint judges the tables that prices come from for a period, and prints
// a line for each thing it finds, with file and line. An error is what a run
// would refuse, or what would leave charges unrated or charge them wrongly;
// a warning is for a person to look at. A table that a run would refuse does
// not keep the others from being looked through. The provider's book is judged
// by naming its files with --rates, --accounts and --markets.
//
// rates diff compares two rate books by what they hold on each date, and
// rates show gives the row that a price comes from, the prefix and market that
// lead to it, and the rows that lost. What it is asked for comes from the
// command line alone: there --plan is no setting.
//
// # Simulation
//
// run --simulate replays a period by what --rates, --accounts, --markets and
// --recharges name now, or with every account on --plan, and publishes under
// simulations/. It moves no pointer, leaves no checkpoint, adjusts nothing and
// takes no adjustments in, be the month closed or open. Its statements and
// differences are those that there would be, and its exit code is that of a run.
//
// It prints what the charges come to, now and simulated, by account, market (or
// country, where there is no market), category and currency. Now is the run that
// counts: the current one, or the newest that adjusts a closed month. That may be
// another tomorrow, and a simulation never changes, so the comparison is not
// part of what is published: the same command again finds the simulation and
// compares anew. As text, rows in which nothing differs are left out, and all
// beyond 200; --json has every row. A percentage is of what is charged now.
//
// # Metrics and traces
//
// --metrics-file and --pushgateway give the figures of a run to Prometheus:
// once it has ended, whatever became of it, with the labels of --metrics-label
// (package metrics). OpenTelemetry's own variables, OTEL_EXPORTER_OTLP_ENDPOINT
// above all, have it send a span for each stage (package traces). Neither
// changes the exit code; what cannot be sent within some seconds is a warning.
//
// # Costs
//
// bench makes exports of July 2024, runs the job on them and prints a table of
// ratios, peak memory and one time, each with the bar that it should keep to.
// --messages says how large the month is, --only which figures there are to
// be, and --dir keeps the data. Whatever the figures are the exit code is 0.
//
// --cpuprofile and --memprofile of run name files for go tool pprof. They are
// written even where the run fails.
//
// # Exit codes
//
//	0    published, or already published with the same inputs; bench: measured
//	1    unexpected
//	2    usage or configuration, or rates, accounts, markets or invoices that cannot be used;
//	     close: nothing is published
//	3    published now or before, and --fail-on was met; rates lint, doctor: tables that
//	     a run would take, and that have errors
//	4    exports refused: not readable, or too many rejects; nothing published
//	5    days are missing; nothing published, or closed
//	6    storage or network
//	7    outcome of the commit unknown: run again
//	8    another run was published meanwhile
//	9    verification failed
//	130  SIGINT
//	143  SIGTERM
package main
