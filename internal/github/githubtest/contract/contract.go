// Package contract holds the stand-in's traffic against GitHub's own
// machine-readable contract: the trimmed documents beside this file.
//
// It is apart from the stand-in because its validators are large and slow to
// begin: tests link them (see githubtest.Enforce), the demo in the product
// does not.
package contract

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The contract's two halves, trimmed to shapes by trim. REST is
// OpenAPI 3.0, webhooks are 3.1, whose schemas are JSON Schema 2020-12: hence
// two validators.
var (
	//go:embed rest.json.gz
	restContract []byte
	//go:embed webhooks.json.gz
	webhookContract []byte
)

// Contract holds traffic against GitHub's contract. It is safe for concurrent
// use.
type Contract struct {
	report func(string)
	router routers.Router
	hooks  *webhooks
}

// New returns a contract that tells report of each violation, in a line.
func New(report func(string)) (*Contract, error) {
	router, err := restRouter()
	if err != nil {
		return nil, fmt.Errorf("GitHub's REST contract: %w", err)
	}
	hooks, err := webhookSchemas()
	if err != nil {
		return nil, fmt.Errorf("GitHub's webhook contract: %w", err)
	}
	return &Contract{report, router, hooks}, nil
}

// webhooks are the schemas of webhooks, compiled when one is first asked for.
type webhooks struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// webhookSchemas loads the webhook half once a process.
var webhookSchemas = sync.OnceValues(func() (*webhooks, error) {
	raw, err := unzip(webhookContract)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("https://github.invalid/webhooks.json", doc); err != nil {
		return nil, err
	}
	return &webhooks{compiler: compiler, compiled: map[string]*jsonschema.Schema{}}, nil
})

// restRouter loads the REST half once a process.
var restRouter = sync.OnceValues(func() (routers.Router, error) {
	raw, err := unzip(restContract)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	// Not doc.Validate(): GitHub's own document fails it.
	doc.Servers = nil
	// A ref, branch or path may hold slashes; gorilla/mux has to be told.
	for path, item := range doc.Paths.Map() {
		wide := strings.NewReplacer("{ref}", "{ref:.+}", "{branch}", "{branch:.+}", "{basehead}", "{basehead:.+}", "{path}", "{path:.*}").Replace(path)
		if wide != path {
			doc.Paths.Delete(path)
			doc.Paths.Set(wide, item)
		}
	}
	return gorillamux.NewRouter(doc)
})

// unlisted are the statuses that GitHub answers on any route without each
// route saying so. What else a route does not list is a violation, and what it
// does list is checked.
var unlisted = map[int]bool{
	http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusTooManyRequests: true, http.StatusNotFound: true,
	http.StatusMovedPermanently: true, http.StatusTemporaryRedirect: true, http.StatusUnprocessableEntity: true,
	http.StatusNotModified: true,
}

// REST checks one exchange. path is the route in the form that the contract
// knows: with owner and name, below the API's root. A request to which nobody
// listens is one too.
func (c *Contract) REST(r *http.Request, path string, body []byte, status int, header http.Header, answer []byte) {
	name := r.Method + " " + path
	req := r.Clone(context.Background())
	req.URL = &url.URL{Scheme: "http", Host: "api.github.invalid", Path: unescape(path), RawPath: path, RawQuery: r.URL.RawQuery}
	req.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		c.report(name + " is no route that the contract (as trimmed) knows: " + err.Error())
		return
	}
	options := &openapi3filter.Options{
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		IncludeResponseStatus: true, MultiError: true, SkipSettingDefaults: true,
	}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: options}
	// A refused request may be as wrong as it likes: tests of refusals send such.
	// What the server took must fit.
	if status < 400 {
		c.tell("request "+name, openapi3filter.ValidateRequest(req.Context(), in))
	}
	if unlisted[status] && route.Operation.Responses.Status(status) == nil {
		return
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: status, Header: header, Options: in.Options}
	out.SetBodyBytes(answer)
	c.tell(fmt.Sprintf("response %d to %s %s", status, r.Method, route.Path), openapi3filter.ValidateResponse(req.Context(), out))
}

// tell reports all that is in err but what GitHub itself does not keep to.
func (c *Contract) tell(what string, err error) {
	for _, e := range flatten(err) {
		text := e.Error()
		var schema *openapi3.SchemaError
		if errors.As(e, &schema) {
			pointer := "/" + digits.ReplaceAllString(strings.Join(schema.JSONPointer(), "/"), "*")
			if overstrict[what+" "+pointer] {
				continue
			}
			text = pointer + ": " + schema.Reason
		}
		c.report(what + ": " + brief(text))
	}
}

var digits = regexp.MustCompile(`\b\d+\b`)

// flatten takes kin-openapi's errors apart, one for each thing that is wrong.
func flatten(err error) []error {
	var request *openapi3filter.RequestError
	var response *openapi3filter.ResponseError
	var many openapi3.MultiError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &many):
		var out []error
		for _, e := range many {
			out = append(out, flatten(e)...)
		}
		return out
	case errors.As(err, &request) && request.Err != nil:
		return flatten(request.Err)
	case errors.As(err, &response) && response.Err != nil:
		return flatten(response.Err)
	}
	return []error{err}
}

// overstrict are the places where the contract demands more than GitHub itself
// sends; its own examples fail there. Nothing else may differ.
var overstrict = map[string]bool{
	// the account is inlined as all of a user and an enterprise at once, where it
	// is either
	"response 200 to GET /app/installations /*/account/name":       true,
	"response 200 to GET /app/installations /*/account/slug":       true,
	"response 200 to GET /app/installations /*/account/created_at": true,
	"response 200 to GET /app/installations /*/account/updated_at": true,
	// null whenever a person wrote the comment
	"issue-comment-edited /comment/performed_via_github_app":  true,
	"issue-comment-deleted /comment/performed_via_github_app": true,
	// its list of events is from before merge queues; those of the other check
	// suite webhooks have merge_group
	"check-suite-rerequested /check_suite/app/events/*": true,
}

// Webhook checks a payload against the schema of event and action.
func (c *Contract) Webhook(event, action string, payload []byte) {
	name := strings.ReplaceAll(event, "_", "-")
	if action != "" {
		name += "-" + strings.ReplaceAll(action, "_", "-")
	}
	schema, err := c.hooks.schema(name)
	if err != nil {
		c.report("webhook " + name + ": " + err.Error())
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err == nil {
		err = schema.Validate(value)
	}
	if err == nil {
		return
	}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) && allowed(name, invalid) {
		return
	}
	c.report("webhook " + name + ": " + brief(err.Error()))
}

// allowed reports whether all leaves of a validation error are overstrict.
func allowed(name string, e *jsonschema.ValidationError) bool {
	if len(e.Causes) == 0 {
		return overstrict[name+" /"+digits.ReplaceAllString(strings.Join(e.InstanceLocation, "/"), "*")]
	}
	for _, cause := range e.Causes {
		if !allowed(name, cause) {
			return false
		}
	}
	return true
}

func (w *webhooks) schema(name string) (*jsonschema.Schema, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.compiled[name]; ok {
		return s, nil
	}
	s, err := w.compiler.Compile("https://github.invalid/webhooks.json#/webhooks/" + name + "/post/requestBody/content/application~1json/schema")
	if err != nil {
		return nil, err
	}
	w.compiled[name] = s
	return s, nil
}

// brief cuts an error to what a test's reader needs.
func brief(text string) string {
	if len(text) > 1500 {
		text = text[:1500] + " …"
	}
	return text
}

func unzip(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// unescape decodes a path; one that cannot be decoded stays as it is.
func unescape(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}
