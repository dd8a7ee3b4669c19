package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"waconcile/reader/miniotest"
	"waconcile/reconcile"
)

// smallPeriod is the period of the tests that stop, race and cut off runs:
// three days with a handful of messages, so that a run takes few operations
// of its store and each of them can be cut.
const smallPeriod = "2024-07-01..2024-07-03"

// The rate cards of smallInputs, which differ in a price.
const (
	firstRates     = "rates-first.csv"
	listRates      = "rates.csv"
	correctedRates = "rates-corrected.csv"
)

// smallInputs makes a directory of inputs for smallPeriod: a conversation that
// goes on over a day, one more on the last day, a message that is rejected, and
// an invoice that is wrong.
func smallInputs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const rates = `plan,market,category,unit,price,currency,valid_from,valid_to
list,*,marketing,conversation,%s,EUR,2024-01-01,
list,*,utility,conversation,0.05,EUR,2024-01-01,
list,*,service,conversation,0.04,EUR,2024-01-01,
`
	for name, text := range map[string]string{
		firstRates:     fmt.Sprintf(rates, "0.06"),
		listRates:      fmt.Sprintf(rates, "0.07"),
		correctedRates: fmt.Sprintf(rates, "0.08"),
		"accounts.csv": `account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to
acme,Acme,list,conversation,sent,UTC,0.22,,2024-01-01,
`,
		"invoices.csv": `invoice_id,line_id,account_id,date_from,date_to,category,quantity,unit_price,amount,currency
i1,1,acme,2024-07-01,2024-07-03,marketing,3,0.07,0.21,EUR
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	exports := filepath.Join(dir, "exports")
	const business, one, two = "390200000001", "393310000001", "393310000002"
	writeDay(t, exports, "2024-07-01", "a", [][]string{
		{"m1", "acme", business, one, "outbound", "template", "marketing", "23:30", "read"},
		{"m2", "acme", business, two, "outbound", "template", "sonnet", "09:00", "read"},
	})
	writeDay(t, exports, "2024-07-02", "a", [][]string{
		{"m1", "acme", business, one, "outbound", "template", "marketing", "2024-07-01T23:30:00Z", "delivered"},
		{"m3", "acme", business, one, "outbound", "template", "marketing", "22:00", "delivered"},
	})
	writeDay(t, exports, "2024-07-03", "a", [][]string{
		{"m4", "acme", business, two, "inbound", "text", "", "10:00", ""},
		{"m5", "acme", business, two, "outbound", "text", "", "10:05", "delivered"},
		{"m6", "acme", business, one, "outbound", "template", "utility", "11:00", "failed"},
	})
	return dir
}

// monthInputs adds to smallInputs what a whole month needs, a file for each of
// its other days, and in exports-late the same with messages that came late:
// one that makes a charge and one that changes one.
func monthInputs(t *testing.T) string {
	t.Helper()
	dir := smallInputs(t)
	exports, late := filepath.Join(dir, "exports"), filepath.Join(dir, lateExports)
	first, err := reconcile.ParseDate("2024-07-04")
	if err != nil {
		t.Fatal(err)
	}
	for d := first; d.String() < "2024-08"; d++ {
		writeDay(t, exports, d.String(), "a", [][]string{
			{"i" + d.String(), "acme", "390200000001", "393310000002", "inbound", "text", "", "12:00", ""},
		})
	}
	if err := os.CopyFS(late, os.DirFS(exports)); err != nil {
		t.Fatal(err)
	}
	writeDay(t, late, "2024-07-01", "b", [][]string{
		{"l1", "acme", "390200000001", "393310000003", "outbound", "template", "marketing", "10:00", "read"},
		{"l2", "acme", "390200000001", "393310000001", "outbound", "template", "marketing", "20:00", "read"},
	})
	return dir
}

const lateExports = "exports-late" // of monthInputs

// writeDay writes one file of exports; rows are as mkExports has them, but for
// the day and the file.
func writeDay(t *testing.T, exports, day, file string, rows [][]string) {
	t.Helper()
	name := filepath.Join(exports, "dt="+day, file+".parquet")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	var records [][]string
	for _, r := range rows {
		records = append(records, append([]string{day, file}, r...))
	}
	columns := []string{"message_id", "account_id", "business_number", "contact", "direction", "type", "category", "sent_at", "status"}
	if err := writeParquet(name, exportSchema(columns), records); err != nil {
		t.Fatal(err)
	}
}

// process is one call of the program in a process of its own, which may be
// killed like one.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// access is how a process reaches a store; the zero value is none.
type access struct {
	endpoint             string
	accessKey, secretKey string
}

func accessTo(s *miniotest.Server) access {
	return access{s.Endpoint, s.AccessKey, s.SecretKey}
}

// through is the same store behind another address.
func (a access) through(endpoint string) access {
	a.endpoint = endpoint
	return a
}

// runOf is what a run of smallPeriod is called with; inputs is a directory or
// a bucket's URL.
func runOf(inputs, rates, out string) []string {
	return runPeriod(smallPeriod, inputs, "exports", rates, out)
}

func runPeriod(period, inputs, exports, rates, out string) []string {
	in := func(name string) string { return inputs + "/" + name }
	return []string{
		"run", "--period", period, "--exports", in(exports), "--rates", in(rates),
		"--accounts", in("accounts.csv"), "--invoices", in("invoices.csv"), "--out", out,
		"--max-reject-ratio", "0.5", "--workers", "2", "--log-format", logJSON,
	}
}

// newProcess prepares a call. temp is the directory for temporary files of the
// machine, so that what a killed process leaves there ends with the test.
func newProcess(ctx context.Context, store access, temp string, args []string) (*process, error) {
	program, err := exec.LookPath(programName) // TestMain has put it there
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, program, args...)}
	p.cmd.Env = []string{
		"AWS_EC2_METADATA_DISABLED=true", "TMPDIR=" + temp, "HOME=" + temp,
		"AWS_ACCESS_KEY_ID=" + store.accessKey, "AWS_SECRET_ACCESS_KEY=" + store.secretKey,
	}
	if store.endpoint != "" {
		p.cmd.Env = append(p.cmd.Env, "WACONCILE_S3_ENDPOINT="+store.endpoint, "WACONCILE_S3_PATH_STYLE=true")
	}
	p.cmd.Stderr = &p.stderr
	return p, nil
}

// killed is the exit code of a process that a signal ended.
const killed = -1

// wait gives the exit code of a started process.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	err := p.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// call runs the program to its end.
func call(t *testing.T, store access, temp string, args []string) (code int, stderr string) {
	t.Helper()
	p, err := newProcess(t.Context(), store, temp, args)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	code = p.wait(t)
	return code, p.stderr.String()
}

// mustCall runs the program where nothing is in its way.
func mustCall(t *testing.T, store access, temp string, args []string) {
	t.Helper()
	if code, stderr := call(t, store, temp, args); code != exitOK {
		t.Fatalf("%v: exit code %d:\n%s", args, code, stderr)
	}
}
