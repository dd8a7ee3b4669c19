package main

import (
	"encoding/csv"
	"fmt"
	"runtime"
	"strings"

	"waconcile/batch"
	"waconcile/reconcile"

	"github.com/spf13/pflag"
)

// settings are the values of all flags that read or write a period. Each of
// them can stand in a flag, in the environment (WACONCILE_ and the flag's
// name in capitals, with _ for -) or in the file that --config names (the
// flag's name, with _ or -), and is taken from the first of these that has
// it.
type settings struct {
	config    string
	logFormat string
	json      bool

	period, now, timeZone string

	exports, rates, accounts, markets, recharges, invoices string
	costRates, costAccounts, costMarkets, fx, invoiceBook  string
	columns                                                map[string]string
	ignoreTypes                                            []string
	completeMarker                                         string
	vatAt                                                  string

	out          string
	unsafeStore  bool
	s3Endpoint   string
	s3PathStyle  bool
	failOn       string
	allowMissing bool

	lookback, lateDays, deliveryDays int
	expiryDays                       int
	maxRejectRatio                   string
	workers                          int
	memory                           string

	simulate bool
	plan     string // of a simulation

	cpuProfile, memProfile string

	metricsFile, pushgateway string
	metricsLabels            map[string]string
}

// The values of --fail-on.
const (
	failOnNone        = "none"
	failOnDifferences = "differences"
	failOnFindings    = "findings"
)

// commonFlags are those of every command.
func (s *settings) commonFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.config, "config", "", "YAML `file` with settings")
	fs.StringVar(&s.logFormat, "log-format", logAuto, "auto (text on a terminal, JSON otherwise), text or json")
	fs.BoolVar(&s.json, "json", false, "print one JSON object instead of text")
}

// periodFlags are those of every command that is about a published period.
func (s *settings) periodFlags(fs *pflag.FlagSet) {
	s.datesFlags(fs)
	s.placeFlags(fs)
}

// datesFlags say which billing dates a command is about.
func (s *settings) datesFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.period, "period", "", "2024-07, 2024-07-03, 2024-07-01..2024-07-15, yesterday, month-to-date or last-month")
	s.nowFlag(fs)
	fs.StringVar(&s.timeZone, "time-zone", "UTC", "IANA time zone in which relative periods are resolved")
}

// nowFlag stands in for the clock.
func (s *settings) nowFlag(fs *pflag.FlagSet) {
	fs.StringVar(&s.now, "now", "", "the `instant` that relative periods and ages are counted from, such as 2024-07-04T03:00:00Z (default: the clock)")
}

// placeFlags say where results lie.
func (s *settings) placeFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.out, "out", "", "where results go: s3://bucket/prefix or a directory")
	s.s3Flags(fs)
}

// s3Flags say how buckets are come to.
func (s *settings) s3Flags(fs *pflag.FlagSet) {
	fs.StringVar(&s.s3Endpoint, "s3-endpoint", "", "`URL` of an S3 service other than AWS")
	fs.BoolVar(&s.s3PathStyle, "s3-path-style", false, "address buckets by path, as MinIO wants it")
}

// inputFlags say what is read and how.
func (s *settings) inputFlags(fs *pflag.FlagSet) {
	s.exportsFlag(fs)
	s.ratesFlags(fs)
	s.rechargesFlag(fs)
	fs.StringVar(&s.invoices, "invoices", "", "invoices, likewise (default: none)")
	s.costFlags(fs)
	fs.StringToStringVar(&s.columns, "columns", nil, "contract's column=name in the exports, comma-separated")
	fs.StringSliceVar(&s.ignoreTypes, "ignore-types", batch.DefaultIgnoreTypes(), "outbound types that never bill")
	fs.StringVar(&s.vatAt, "vat-at", reconcile.VATAtRecharge.String(), "when VAT is due on what recharges pay: recharge (they were sold with VAT) or usage (they were sold without)")
	fs.StringVar(&s.completeMarker, "complete-marker", "", "`name` of a file that each day must have, such as _SUCCESS")
}

// ratesFlags say where the tables lie that a price comes from.
func (s *settings) ratesFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.rates, "rates", "", "rates: a CSV file, a directory or an s3:// prefix")
	s.accountsFlag(fs)
	fs.StringVar(&s.markets, "markets", "", "markets, likewise (default: the built-in table)")
}

// rechargesFlag says where the recharges lie.
func (s *settings) rechargesFlag(fs *pflag.FlagSet) {
	fs.StringVar(&s.recharges, "recharges", "", "recharges, likewise (default: none)")
}

// costFlags say what the provider charges by.
func (s *settings) costFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.costRates, "cost-rates", "", "rates that the provider charges, likewise (default: none, and no margins)")
	fs.StringVar(&s.costAccounts, "cost-accounts", "", "accounts with the plans of the cost rates, likewise")
	fs.StringVar(&s.costMarkets, "cost-markets", "", "markets of the cost rates, likewise (default: the built-in table)")
	fs.StringVar(&s.fx, "fx", "", "exchange rates date,from,to,rate, likewise, for margins in different currencies (default: none)")
	fs.StringVar(&s.invoiceBook, "invoice-book", "", "sell or cost: the `book` that invoices are compared with (default: cost where it is given)")
}

// exportsFlag says where the exports lie.
func (s *settings) exportsFlag(fs *pflag.FlagSet) {
	fs.StringVar(&s.exports, "exports", "", "where the exports lie: s3://bucket/prefix or a directory")
}

// accountsFlag says where the accounts lie.
func (s *settings) accountsFlag(fs *pflag.FlagSet) {
	fs.StringVar(&s.accounts, "accounts", "", "accounts: a CSV file, a directory or an s3:// prefix")
}

// tuningFlags are the limits of a run and how it is done.
func (s *settings) tuningFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.failOn, "fail-on", failOnNone, "none, differences or findings: exit 3 after publishing where there are any")
	fs.BoolVar(&s.allowMissing, "allow-missing", false, "go on where days are missing; the verdict is then incomplete")
	fs.IntVar(&s.lookback, "lookback", batch.DefaultLookbackDays, "days read before the period")
	fs.IntVar(&s.lateDays, "late-days", batch.DefaultLateDays, "days read after the last conversation has ended")
	fs.IntVar(&s.deliveryDays, "delivery-days", batch.DefaultDeliveryDays, "days a delivery may come after sending")
	fs.IntVar(&s.expiryDays, "expiry-days", batch.DefaultExpiryDays, "days before its end, or that of all credit, from which on a recharge is a finding")
	fs.StringVar(&s.maxRejectRatio, "max-reject-ratio", batch.DefaultMaxRejectRatio, "`share` of the rows that may be rejected")
	fs.IntVar(&s.workers, "workers", runtime.GOMAXPROCS(0), "shards and goroutines; the result never depends on it")
	fs.StringVar(&s.memory, "memory", "", "`size` that a run keeps within, in several passes if it has to, such as 512MiB or 2GiB (default: the container's limit or the machine)")
	s.unsafeFlag(fs)
}

// unsafeFlag is for commands that write conditionally.
func (s *settings) unsafeFlag(fs *pflag.FlagSet) {
	fs.BoolVar(&s.unsafeStore, "unsafe-store", false, "go on with a store that does not honour conditional writes")
}

// isPlace tells whether a setting names a file, a directory or a bucket.
func isPlace(flag string) bool {
	switch flag {
	case "exports", "rates", "accounts", "markets", "recharges", "invoices", "out",
		"cost-rates", "cost-accounts", "cost-markets", "fx", "metrics-file":
		return true
	}
	return false
}

// jobFlags are those of the commands that work on a whole job.
func (s *settings) jobFlags(fs *pflag.FlagSet) {
	s.periodFlags(fs)
	s.inputFlags(fs)
	s.tuningFlags(fs)
	s.simulationFlags(fs)
	s.profileFlags(fs)
	s.metricsFlags(fs)
	s.commonFlags(fs)
}

// newSettings gives the defaults, and the set of all flags.
func newSettings() (*settings, *pflag.FlagSet) {
	s := &settings{}
	fs := pflag.NewFlagSet(programName, pflag.ContinueOnError)
	s.jobFlags(fs)
	return s, fs
}

const envPrefix = "WACONCILE_"

// envName is the environment variable of a flag.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fill gives every flag of fs that the command line does not set its value
// from the environment or else from the configuration file. An empty
// variable counts as absent. A file may hold settings of other commands.
func fill(fs *pflag.FlagSet, lookupEnv func(string) (string, bool)) error {
	// Errors of the file are logged in the format that was asked for.
	for _, name := range []string{"log-format", "config"} {
		if err := fillFlag(fs, name, lookupEnv, nil); err != nil {
			return err
		}
	}
	file, err := readConfig(flagText(fs, "config"))
	if err != nil {
		return err
	}
	fs.VisitAll(func(f *pflag.Flag) {
		if err == nil && f.Name != "config" && !isQuestion(f) {
			err = fillFlag(fs, f.Name, lookupEnv, file)
		}
	})
	return err
}

// questionFlag marks a flag that is part of a question, and no setting.
const questionFlag = "question"

// ask adds the flags of a question to those of a command. They come from the
// command line alone, also where a setting of another command has the name.
func ask(fs, question *pflag.FlagSet) {
	question.VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{questionFlag: nil} })
	fs.AddFlagSet(question)
}

func isQuestion(f *pflag.Flag) bool {
	_, marked := f.Annotations[questionFlag]
	return marked
}

func fillFlag(fs *pflag.FlagSet, name string, lookupEnv func(string) (string, bool), file *configFile) error {
	f := fs.Lookup(name)
	if f == nil || f.Changed {
		return nil
	}
	if text, ok := lookupEnv(envName(name)); ok && text != "" {
		if err := f.Value.Set(text); err != nil {
			return fmt.Errorf("%w: environment %s: %w", errUsage, envName(name), err)
		}
		return nil
	}
	return file.set(f)
}

func flagText(fs *pflag.FlagSet, name string) string {
	if f := fs.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// csvLine writes fields the way pflag reads lists and maps.
func csvLine(fields []string) (string, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.Write(fields); err != nil {
		return "", err
	}
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n"), w.Error()
}
