package report

import (
	_ "embed" // the page and its style
	"fmt"
	"html/template"
	"io"
)

//go:embed report.gohtml
var page string

//go:embed report.css
var style string

// Write renders d to w. The same d gives the same bytes. An error is that of
// w; w may then hold a part of the page.
func Write(w io.Writer, d Data) error {
	t, err := template.New("report").Parse(page)
	if err != nil {
		return fmt.Errorf("parse page of report: %w", err)
	}
	if err := t.Execute(w, newView(&d)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
