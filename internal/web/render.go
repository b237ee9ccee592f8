package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/plot"
)

//go:embed templates static
var files embed.FS

// templates holds each page with the layout around it. They are part of the
// program: one that can't be parsed is a mistake that no start of a site
// survives. Runners, which have no site, do without them.
var templates = sync.OnceValue(func() map[string]*template.Template {
	shared := template.Must(template.New("").Funcs(funcs).ParseFS(files, "templates/layout.html", "templates/parts.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"changes", "change", "run", "plan", "locks", "history", "audit", "drift", "costs", "cost", "states", "stateview", "inventory", "uses", "queue", "policies", "policy", "waivers", "waiver", "consent", "error"} {
		all[name] = template.Must(template.Must(shared.Clone()).ParseFS(files, "templates/"+name+".html"))
	}
	return all
})

// asset is a file that pages refer to.
type asset struct {
	body  []byte
	media string
	path  string // holds the content's hash, so that it can be kept for ever
}

var assets = func() map[string]asset {
	all := map[string]asset{}
	for name, media := range map[string]string{"style.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		body, err := files.ReadFile("static/" + name)
		if err != nil {
			panic(err) // the program was built without its own files
		}
		if name == "style.css" {
			body = append(body, plot.Style...)
		}
		sum := sha256.Sum256(body)
		all[name] = asset{body: body, media: media, path: path.Join("/static", hex.EncodeToString(sum[:6]), name)}
	}
	return all
}()

// static answers with a file. One of another version is not found rather than
// kept by the browser under the wrong name.
func static(w http.ResponseWriter, r *http.Request) error {
	a, ok := assets[mux.Vars(r)["name"]]
	if !ok || a.path != r.URL.Path {
		return errs.New(errs.NotFound, "There is no such file.")
	}
	w.Header().Set("Content-Type", a.media)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	_, _ = w.Write(a.body) // nobody is left to be told
	return nil
}

// frame is what the layout gets.
type frame struct {
	Title string
	Nav   string
	Live  int
	Menu  bool
	Data  any
}

// render writes a page. Nothing is sent before the whole of it stands, so that
// a failure still gets its own status. A page that the reader has already
// (If-None-Match) is not sent again.
func render(w http.ResponseWriter, r *http.Request, code int, name string, v shown) error {
	f := frame{Title: v.title, Nav: v.nav, Live: v.live, Menu: true, Data: v.data}
	if e, ok := v.data.(failure); ok {
		f.Menu = e.Menu
	}
	var b bytes.Buffer
	if err := templates()[name].ExecuteTemplate(&b, "layout", f); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	body := visible(b.Bytes())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if code == http.StatusOK {
		sum := sha256.Sum256(body)
		tag := `"` + hex.EncodeToString(sum[:12]) + `"`
		w.Header().Set("ETag", tag)
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // nobody is left to be told
	return nil
}

func writeJSON(w http.ResponseWriter, code int, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // nobody is left to be told
	return nil
}
