package policydoc

import (
	"fmt"
	"html/template"
	"io"
)

// page is one file that needs nothing beside it: no script, no font, no style
// from elsewhere, so that it can be handed on and kept.
var page = template.Must(template.New("rules").Funcs(template.FuncMap{
	"anchor": Anchor, "example": ExampleText, "aside": Circumstances, "value": Value, "stricter": Stricter, "evidence": evidence,
}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The bundled rules</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328; background: #fff; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; overflow-wrap: anywhere; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
section { border-top: 1px solid #d0d7de; margin-top: 2rem; }
a { color: #0550ae; }
@media (prefers-color-scheme: dark) {
body { color: #e6edf3; background: #0d1117; } pre { background: #161b22; } a { color: #79c0ff; }
th, td, section { border-color: #30363d; }
}
</style>
</head>
<body>
<h1>The bundled rules</h1>
<nav aria-label="Packs"><ul>{{range .Packs}}
<li><a href="#pack-{{.Name}}">{{.Title}}</a>: {{len .Rules}} rules. {{.About}}</li>{{end}}
</ul></nav>
{{range .Packs}}<section id="pack-{{.Name}}">
<h2>{{.Title}}</h2>
<p>{{.About}}</p>
<table><thead><tr><th>Rule</th><th>Level</th><th>Severity</th><th>Title</th></tr></thead><tbody>{{range .Rules}}
<tr><td><a href="#{{anchor .ID}}"><code>{{.ID}}</code></a></td><td>{{.Level}}</td><td>{{.Severity}}</td><td>{{.Title}}</td></tr>{{end}}
</tbody></table>
{{if .Settings}}<table><thead><tr><th>Setting</th><th>Default</th><th>Stricter</th><th>What it says</th></tr></thead><tbody>{{range .Settings}}
<tr><td><code>{{.Pack}}.{{.Name}}</code></td><td><code>{{value .Default}}</code></td><td>{{stricter .}}</td><td><b>{{.Title}}.</b> {{.Description}}</td></tr>{{end}}
</tbody></table>
{{end}}{{range .Rules}}<article id="{{anchor .ID}}">
<h3><code>{{.ID}}</code></h3>
<p><b>{{.Title}}</b> ({{.Level}}, {{.Severity}})</p>
<p>{{.Description}}</p>
{{if .Why}}<p><b>Why:</b> {{.Why}}</p>
{{end}}{{if .Mend}}<p><b>How to mend it:</b> {{.Mend}}</p>
{{end}}{{with .Bad}}<p>Found{{with aside .}} ({{.}}){{end}}:</p>
<pre><code>{{example .}}</code></pre>
{{end}}{{with .Good}}<p>Not found{{with aside .}} ({{.}}){{end}}:</p>
<pre><code>{{example .}}</code></pre>
{{end}}{{with evidence .}}<p>Evidence for:</p>
<ul>{{range .}}
<li>{{.Name}}: {{range $i, $c := .Controls}}{{if $i}}; {{end}}{{$c.ID}} {{$c.Title}}{{end}}</li>{{end}}
</ul>
{{end}}</article>
{{end}}</section>
{{end}}</body>
</html>
`))

// HTML writes the reference as one page.
func (r Reference) HTML(w io.Writer) error {
	// Templates take values: examples are pointers in rules.
	if err := page.Execute(w, r); err != nil {
		return fmt.Errorf("write the page of rules: %w", err)
	}
	return nil
}
