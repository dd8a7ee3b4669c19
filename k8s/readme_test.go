package k8s_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func readRunbook(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRunbookNames: every CronJob that the runbook names is in the base, every
// file is there, every heading that it links to, and every alert of a
// component has its row.
func TestRunbookNames(t *testing.T) {
	t.Parallel()
	text := readRunbook(t)
	if diff := cmp.Diff(named(text, `(?m)^\| .(waconcile-[a-z-]+).`), named(everyFile(t, "base/*.yaml"), `(?m)^  name: (waconcile-[a-z-]+)$`)); diff != "" {
		t.Errorf("CronJobs (-runbook +base):\n%s", diff)
	}
	jobs := named(text, `(?m)^\| .(waconcile-[a-z-]+).`)
	for _, name := range named(text, `cronjob[/ ](waconcile-[a-z-]+)`) {
		if !slices.Contains(jobs, name) {
			t.Errorf("there is no CronJob %s", name)
		}
	}
	for _, link := range named(text, `\]\(([^)#]+)\)`) {
		if _, err := os.Stat(filepath.FromSlash(link)); err != nil {
			t.Errorf("link to %s: %v", link, err)
		}
	}
	headings := named(strings.ToLower(strings.NewReplacer(" ", "-", ":", "").Replace(text)), `(?m)^#+-(.*)$`)
	for _, link := range named(text, `\]\(#([^)]+)\)`) {
		if !slices.Contains(headings, link) {
			t.Errorf("no heading #%s among %q", link, headings)
		}
	}
	for _, alert := range named(everyFile(t, "components/*/*.yaml"), `(?m)alert: (\S+)$`) {
		if !strings.Contains(text, "| `"+alert+"` |") {
			t.Errorf("alert %s is not in the runbook", alert)
		}
	}
}

// named are the first submatches of a pattern, sorted and once.
func named(text, pattern string) []string {
	var names []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// everyFile is the text of all files that a pattern matches.
func everyFile(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(data)
	}
	return text.String()
}

// shellFunctions are those of the runbook: start, by_hand, ended, last_log.
func shellFunctions(t *testing.T) string {
	t.Helper()
	_, rest, found := strings.Cut(readRunbook(t), "```sh\n")
	functions, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended || !strings.HasPrefix(functions, "start()") {
		t.Fatal("the runbook has no shell functions")
	}
	return functions
}

// TestRunbookCommands holds the commands of the runbook to what its functions
// are for: no job gets a name that it has had before, no log is that of the
// first attempt, and no job is waited for as if it could not fail.
func TestRunbookCommands(t *testing.T) {
	t.Parallel()
	text := strings.Replace(readRunbook(t), shellFunctions(t), "", 1)
	for _, not := range []string{"kubectl create job", "kubectl logs", "--for=condition=Complete --timeout=8h", "ended job/"} {
		if strings.Contains(text, not) {
			t.Errorf("the runbook says %q", not)
		}
	}
	jobs := named(text, `(?m)^\| .(waconcile-[a-z-]+).`)
	for _, name := range named(text, `\bstart (waconcile-[a-z-]+)`) {
		if !slices.Contains(jobs, name) {
			t.Errorf("there is no CronJob %s to start", name)
		}
	}
	// What is made without a namespace goes where the context points.
	namespace, secret := strings.Index(text, "kubectl config set-context"), strings.Index(text, "kubectl create secret")
	if namespace < 0 || secret < namespace {
		t.Error("the secret is made before its namespace is the current one")
	}
}

// TestRunbookFunctions runs the functions of the runbook against a kubectl that
// knows one job, of two pods, and says of it what it is told to.
func TestRunbookFunctions(t *testing.T) {
	t.Parallel()
	const world = `
set -u
kubectl() {
  case $1.$2 in
  create.job) echo "$3 of $4" ;;
  set.env) shift 7; sed "s/$/ with $*/" ;;
  create.-f) tee created; [ ! -e refuse ] ;;
  get.job)
    n=$(wc -l <asked) n=$((n + 1)); echo "$3" >>asked
    sed -n "${n}p" states; [ "$n" -le "$(wc -l <states)" ] ;;
  get.pods) case $4 in *=gone) ;; *) echo pod/first; echo pod/last ;; esac ;;
  logs.*) echo "log of $2" ;;
  *) echo "kubectl $*" >&2; return 1 ;;
  esac
}
sleep() { :; }
date() { echo 0801-0430; }
: >asked
`
	tests := []struct {
		name, states, script string
		want                 string // what is printed, both ways
		code                 int
	}{
		{"start", "", `start waconcile-daily again && echo "$job"`, "again-0801-0430 of --from=cronjob/waconcile-daily\nagain-0801-0430\n", 0},
		{"by hand", "", `by_hand plan WACONCILE_PERIOD=2024-07 && echo "$job"`, "plan-0801-0430 of --from=cronjob/waconcile-by-hand with COMMAND=plan WACONCILE_PERIOD=2024-07\nplan-0801-0430\n", 0},
		{"refused", "", `: >refuse; job=old; start waconcile-daily again || ended "$job"`, "again-0801-0430 of --from=cronjob/waconcile-daily\nended: no job\n", 1},
		{"completes", "\n\nSuccessCriteriaMet Complete\n", `ended j`, "log of pod/last\n", 0},
		{"fails", "\nFailureTarget\nFailureTarget Failed\n", `ended j`, "log of pod/last\nj failed\n", 1},
		{"pods are gone", "Failed\n", `ended gone`, "gone has no pod (left)\ngone failed\n", 1},
		{"not there", "", `ended j`, "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "states"), []byte(test.states), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", world+shellFunctions(t)+test.script)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != test.code || string(out) != test.want {
				t.Errorf("exit code %d, want %d, and\n%s\nwant\n%s", code, test.code, out, test.want)
			}
		})
	}
}
