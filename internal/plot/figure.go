package plot

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"sync"

	"github.com/tidelock/tidelock/internal/terminal"
)

// Style is what a page must have of style for charts to look like charts. It
// takes --card, --line, --text, --dim, --good, --warn and --bad from the page
// where it has them.
//
//go:embed plot.css
var Style string

//go:embed plot.html
var source string

// Everything is put into the markup by html/template, which escapes it for
// where it stands: no name can become markup.
var templates = sync.OnceValue(func() *template.Template { return template.Must(template.New("plot").Parse(source)) })

func render(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("draw %s: %w", name, err)
	}
	return template.HTML(b.String()), nil
}

// clean makes what could command or reorder visible.
func clean(s string) string { return string(terminal.Visible([]byte(s))) }
