package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logLine is what stages and failures have in common.
type logLine struct {
	Level, Msg, Stage, Period, Next string
	RunID                           string `json:"run_id"`
	Seconds                         *float64
	Rows, Messages                  int64
	Failed                          bool
	ExitCode                        int `json:"exit_code"`
}

func logLines(t *testing.T, text string) []logLine {
	t.Helper()
	var lines []logLine
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		var l logLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("%v: %s", err, s.Text())
		}
		lines = append(lines, l)
	}
	return lines
}

// Each stage has a line, the run id as soon as it is known, and a run that
// fails a last line that says what to do.
func TestStageLog(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	args := []string{"run", "--config", filepath.Join(dir, "waconcile.yaml"), "--out", filepath.Join(dir, "anew")}
	_, stderr := runIn(t, "", nil, 0, args...)
	var stages []string
	for _, l := range logLines(t, stderr) {
		if l.Msg != "stage" {
			continue
		}
		stages = append(stages, l.Stage)
		if l.Level != "INFO" || l.Period != "2024-07" || l.Seconds == nil || l.Failed || (l.RunID == "") != (l.Stage == "plan") {
			t.Errorf("%+v", l)
		}
		if l.Stage == "read" && (l.Messages != 3000 || l.Rows < l.Messages) {
			t.Errorf("counts of read: %+v", l)
		}
	}
	want := []string{"plan", "start", "standing", "footers", "probe", "read", "sums", "tables", "report", "checkpoints", "read_back", "publish"}
	if diff := cmp.Diff(want, stages); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if err := os.RemoveAll(filepath.Join(dir, "exports", "dt=2024-07-09")); err != nil {
		t.Fatal(err)
	}
	_, stderr = runIn(t, "", nil, 5, args...)
	lines := logLines(t, stderr)
	if l := lines[len(lines)-2]; l.Stage != "standing" || !l.Failed {
		t.Errorf("the stage that failed: %+v", l)
	}
	if l := lines[len(lines)-1]; l.Msg != "failed" || l.ExitCode != 5 || l.Next == "" {
		t.Errorf("the last line: %+v", l)
	}
}

// TestLogNamesNobody: whatever a run makes of its data, not even where
// columns are mistaken for others, its log has neither a contact's number nor
// the id of a message.
func TestLogNamesNobody(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	env := []string{"WACONCILE_LOG_FORMAT=json"}
	_, log := runIn(t, "", env, 0, "demo", "--dir", dir, "--messages", "3000")
	run := func(code int, args ...string) {
		t.Helper()
		_, stderr := runIn(t, "", env, code, append([]string{"run", "--config", filepath.Join(dir, "waconcile.yaml"), "--out", filepath.Join(dir, "other")}, args...)...)
		log += stderr
	}
	run(3, "--fail-on", "findings")
	run(4, "--columns", "direction=contact,contact=direction")
	run(4, "--columns", "direction=message_id,message_id=direction")
	run(0, "--max-reject-ratio", "1", "--columns", "status=contact,contact=status")
	run(0, "--columns", "account_id=contact,contact=account_id")
	run(2, "--rates", filepath.Join(dir, "accounts.csv"))
	if err := os.RemoveAll(filepath.Join(dir, "exports", "dt=2024-07-09")); err != nil {
		t.Fatal(err)
	}
	run(5)

	names := namesIn(t, filepath.Join(dir, "exports"))
	if len(names) < 3000 {
		t.Fatalf("only %d numbers and ids are known", len(names))
	}
	for word := range strings.FieldsFuncSeq(log, func(r rune) bool { return strings.ContainsRune(" \t\n\"'\\,:;=()/", r) }) {
		if names[word] || names[strings.TrimPrefix(word, "+")] {
			t.Errorf("the log has %q", word)
		}
	}
	// A longer run of digits than these would be a number in another form.
	known := regexp.MustCompile(`"time":"[^"]*"|[0-9a-f]{32,}|"(bytes|memory)":\d+`)
	for _, digits := range regexp.MustCompile(`\d{7,}`).FindAllString(known.ReplaceAllString(strings.ReplaceAll(log, dir, ""), ""), -1) {
		t.Errorf("the log has %s", digits)
	}
}

// namesIn are all contacts and message ids of some exports.
func namesIn(t *testing.T, exports string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(exports, "*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		records, err := readParquet(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		contact, id := slices.Index(records[0], "contact"), slices.Index(records[0], "message_id")
		if contact < 0 || id < 0 {
			t.Fatalf("%s has columns %q", file, records[0])
		}
		for _, r := range records[1:] {
			names[strings.TrimPrefix(r[contact], "+")], names[r[id]] = true, true
		}
	}
	delete(names, "")
	return names
}
