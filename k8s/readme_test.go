package k8s_test

import (
	"os"
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

// byHand is the shell function of the runbook.
func byHand(t *testing.T) string {
	t.Helper()
	_, rest, found := strings.Cut(readRunbook(t), "```sh\n")
	function, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended || !strings.HasPrefix(function, "by_hand()") {
		t.Fatal("the runbook has no function by_hand")
	}
	return function
}
