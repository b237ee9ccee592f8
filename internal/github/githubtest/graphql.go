package githubtest

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// The part of GitHub's GraphQL schema that is served here, made by
// contract/trimgraphql.
//
//go:embed contract/schema.graphql
var graphSource string

var graphSchema = sync.OnceValues(func() (*ast.Schema, error) {
	return gqlparser.LoadSchema(&ast.Source{Name: "contract/schema.graphql", Input: graphSource})
})

// GraphQLURL is where GraphQL is served, at the place of GitHub Enterprise
// Server.
func (s *Server) GraphQLURL() string { return s.URL + "/api/graphql" }

// graphError is an error in an answer's list. GitHub's own have a type;
// requests that do not fit the schema have a code under extensions instead.
type graphError struct {
	Type       string         `json:"type,omitempty"`
	Path       []string       `json:"path,omitempty"`
	Message    string         `json:"message"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

func (e *graphError) Error() string { return e.Message }

// graphObject is a thing that GraphQL can show: its type and its fields.
type graphObject struct {
	typ string
	get func(field string) any
}

// graphRequest is a GraphQL request on its way. s.mu is held while it is
// answered, unless a resolver lets go.
type graphRequest struct {
	s    *Server
	who  principal
	vars map[string]any
	doc  *ast.QueryDocument
}

// graphReply is the answer's body. Data is left out where nothing was
// executed.
type graphReply struct {
	Data   any           `json:"data,omitempty"`
	Errors []*graphError `json:"errors,omitempty"`
}

// serveGraphQL answers a GraphQL request: faults, who asks, limits, the
// request's fit, and last whether the answer fits. All that GraphQL itself
// refuses is answered 200.
func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	const path = "/graphql"
	if r.Method != http.MethodPost {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	if err != nil || !s.faults.delay(r) {
		return
	}
	refused := s.faults.refusal(r.Method, path)
	if refused != nil && !refused.Done {
		refused.write(w)
		s.record(r.Method, path, refused.Status)
		return
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	status, out := s.answerGraph(r, body, header)
	s.record(r.Method, path, status)
	if refused != nil {
		refused.write(w)
		return
	}
	for k, v := range header {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) answerGraph(r *http.Request, body []byte, header http.Header) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, err := s.principalOf(r)
	var bad authError
	switch {
	case errors.As(err, &bad):
		return bad.status, fields{"message": bad.message, "documentation_url": docs}
	case err != nil:
		return http.StatusInternalServerError, fields{"message": err.Error()}
	case who.token == nil:
		return http.StatusUnauthorized, fields{"message": "This endpoint requires you to be authenticated.", "documentation_url": docs}
	}
	if limited := s.countGraph(who, header); limited != nil {
		return http.StatusOK, graphReply{Errors: []*graphError{limited}}
	}
	var ask struct {
		Query     *string        `json:"query"`
		Variables map[string]any `json:"variables"`
		Operation string         `json:"operationName"`
	}
	if json.Unmarshal(body, &ask) != nil {
		return http.StatusBadRequest, fields{"message": "Problems parsing JSON", "documentation_url": docs}
	}
	if ask.Query == nil {
		return http.StatusOK, graphReply{Errors: []*graphError{{Message: "A query attribute must be specified and must be a string."}}}
	}
	schema, err := graphSchema()
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	doc, wrong := gqlparser.LoadQueryWithRules(schema, *ask.Query, nil)
	if wrong != nil {
		return http.StatusOK, graphReply{Errors: s.misfit(wrong)}
	}
	op := doc.Operations.ForName(ask.Operation)
	if op == nil {
		return http.StatusOK, graphReply{Errors: []*graphError{{Message: "No operation named " + strconv.Quote(ask.Operation)}}}
	}
	vars, err := validator.VariableValues(schema, op, ask.Variables)
	if err != nil {
		var one *gqlerror.Error
		if !errors.As(err, &one) {
			one = gqlerror.Wrap(err)
		}
		return http.StatusOK, graphReply{Errors: s.misfit(gqlerror.List{one})}
	}
	q := &graphRequest{s: s, who: who, vars: vars, doc: doc}
	out := q.run(op)
	if s.contract != nil && out.Data != nil {
		s.contract.graph(schema, doc, op, out.Data)
	}
	return http.StatusOK, out
}

// misfit turns what does not fit the schema into the errors that GitHub
// answers, and reports it: the bot has no business sending such.
func (s *Server) misfit(list gqlerror.List) []*graphError {
	var out []*graphError
	for _, e := range list {
		if s.contract != nil {
			s.contract.report("GraphQL request: " + brief(e.Error()))
		}
		code := "undefinedField"
		if e.Rule != "" {
			code = e.Rule
		}
		out = append(out, &graphError{Message: e.Message, Extensions: map[string]any{"code": code}})
	}
	return out
}

// countGraph keeps an installation's hourly budget for GraphQL, which is
// another than REST's. Each request that the bot sends costs one point.
func (s *Server) countGraph(who principal, header http.Header) *graphError {
	in := who.token.install
	if in == nil {
		return nil
	}
	now := s.opts.Now()
	if now.Sub(in.graphWindow) >= time.Hour || in.graphWindow.IsZero() {
		in.graphWindow, in.graphUsed = now, 0
	}
	spent := in.graphUsed >= s.opts.HourLimit
	if !spent {
		in.graphUsed++
	}
	header.Set("X-RateLimit-Limit", strconv.Itoa(s.opts.HourLimit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(s.opts.HourLimit-in.graphUsed))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(in.graphWindow.Add(time.Hour).Unix(), 10))
	header.Set("X-RateLimit-Resource", "graphql")
	if spent {
		return &graphError{Type: "RATE_LIMITED", Message: fmt.Sprintf("API rate limit exceeded for installation ID %d.", in.id)}
	}
	return nil
}

// run executes an operation: its fields one after another, as GraphQL demands
// of mutations. A field that fails is null and its error stands in the list.
func (q *graphRequest) run(op *ast.OperationDefinition) graphReply {
	data := fields{}
	var out graphReply
	for _, sel := range op.SelectionSet {
		f, ok := sel.(*ast.Field)
		if !ok || len(f.Directives) > 0 {
			return graphReply{Errors: []*graphError{{Message: "The stand-in takes neither fragments nor directives at the root."}}}
		}
		if f.Name == "__typename" {
			data[f.Alias] = f.ObjectDefinition.Name
			continue
		}
		resolve, ok := graphRoots[f.Name]
		if !ok {
			panic("githubtest: GraphQL's " + f.Name + " stands in the schema, but nobody answers it")
		}
		value, err := resolve(q, f.ArgumentMap(q.vars))
		if err != nil {
			err.Path = []string{f.Alias}
			out.Errors = append(out.Errors, err)
			data[f.Alias] = nil
			continue
		}
		data[f.Alias] = q.show(value, f.SelectionSet)
	}
	out.Data = data
	return out
}

// show picks from a value what was selected.
func (q *graphRequest) show(value any, set ast.SelectionSet) any {
	obj, ok := value.(*graphObject)
	if !ok {
		return value
	}
	if obj == nil {
		return nil
	}
	out := fields{}
	q.fill(out, obj, set)
	return out
}

func (q *graphRequest) fill(out fields, obj *graphObject, set ast.SelectionSet) {
	schema, _ := graphSchema()
	applies := func(condition string) bool {
		if condition == "" || condition == obj.typ {
			return true
		}
		for _, t := range schema.PossibleTypes[condition] {
			if t.Name == obj.typ {
				return true
			}
		}
		return false
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__typename" {
				out[sel.Alias] = obj.typ
				continue
			}
			out[sel.Alias] = q.show(obj.get(sel.Name), sel.SelectionSet)
		case *ast.InlineFragment:
			if applies(sel.TypeCondition) {
				q.fill(out, obj, sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if applies(sel.Definition.TypeCondition) {
				q.fill(out, obj, sel.Definition.SelectionSet)
			}
		}
	}
}

// graphID returns the number in a node ID of that kind ("IC", "PR"), 0 for an
// ID of another kind or none at all.
func graphID(kind string, id any) int64 {
	text, _ := id.(string)
	rest, ok := strings.CutPrefix(text, kind+"_")
	if !ok {
		return 0
	}
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(raw), 10, 64)
	return n
}
