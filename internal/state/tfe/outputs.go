package tfe

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// output is a root output of a state.
type output struct {
	name      string
	Value     json.RawMessage `json:"value"`
	Type      json.RawMessage `json:"type"`
	Sensitive bool            `json:"sensitive"`
}

// maxOutputs bounds the bytes of a state's outputs: they are held in memory.
const maxOutputs = 16 << 20

// rationed reads until its ration is used up.
type rationed struct {
	r    io.Reader
	left int64
}

var errRation = errs.New(errs.TooLarge, "The outputs of the state have more than %d bytes, and are not read one by one. Read the whole state.", maxOutputs)

func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errRation
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}

// parseOutputs reads the outputs of a state, and the state to its end: only
// then it is known to be whole.
func parseOutputs(body io.Reader) ([]output, error) {
	r := &rationed{body, math.MaxInt64}
	dec := json.NewDecoder(r)
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	var all []output
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if key != "outputs" {
			if err := state.SkipValue(dec); err != nil {
				return nil, err
			}
			continue
		}
		r.left = maxOutputs
		if all, err = decodeOutputs(dec); err != nil {
			return nil, err
		}
		r.left = math.MaxInt64
		break // the rest has none
	}
	_, err := io.Copy(io.Discard, body)
	return all, err
}

func decodeOutputs(dec *json.Decoder) ([]output, error) {
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') { // null, where there are none
		return nil, err
	}
	var all []output
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		o := output{}
		o.name, _ = key.(string) // a key of an object always is one
		if err := dec.Decode(&o); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	_, err = dec.Token()
	return all, err
}

// outputID names an output of a version; splitOutput is its reverse.
func outputID(version, name string) string {
	return "wsout-" + version + "-" + base64.RawURLEncoding.EncodeToString([]byte(name))
}

const uuidLength = 36

func splitOutput(id string) (version, name string, ok bool) {
	const from = len("wsout-")
	if len(id) <= from+uuidLength+1 || id[:from] != "wsout-" || id[from+uuidLength] != '-' {
		return "", "", false
	}
	b, err := base64.RawURLEncoding.DecodeString(id[from+uuidLength+1:])
	return id[from : from+uuidLength], string(b), err == nil
}

// outputView is an output as clients read it. A list tells no sensitive value:
// that takes asking for it.
func outputView(version string, o output, all bool) resource {
	at := map[string]any{"name": o.name, "sensitive": o.Sensitive, "type": kindOf(o.Type), "value": nil, "detailed-type": o.Type}
	if all || !o.Sensitive {
		at["value"] = o.Value
	}
	return resource{ID: outputID(version, o.name), Type: "state-version-outputs", Attributes: at}
}

// kindOf is the outermost part of a type.
func kindOf(raw json.RawMessage) string {
	var whole string
	if json.Unmarshal(raw, &whole) == nil {
		return whole
	}
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) == nil && len(parts) > 0 && json.Unmarshal(parts[0], &whole) == nil {
		return whole
	}
	return "dynamic"
}

func (a *API) outputsOf(c *call, v state.Version) ([]output, error) {
	if v.Encrypted {
		// Nobody here can look into it. An output without a type has the client
		// read the whole state, to which it has the key.
		return []output{{name: "encrypted", Value: json.RawMessage("null"), Type: json.RawMessage("null")}}, nil
	}
	body, err := a.content(c.Request, v, c.workspace.Name)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	all, err := parseOutputs(body)
	if errors.Is(err, errRation) {
		return nil, errRation
	}
	return all, err
}

func (a *API) sendOutputs(c *call, v state.Version) error {
	all, err := a.outputsOf(c, v)
	if err != nil {
		return err
	}
	list := []resource{}
	for _, o := range all {
		list = append(list, outputView(v.ID, o, false))
	}
	return c.send(http.StatusOK, list, nil)
}

func (a *API) currentOutputs(c *call) error {
	v, err := a.States.Current(c.Context(), c.org.ID, c.workspace.Name)
	if errs.Is(err, errs.NotFound) {
		return c.send(http.StatusOK, []resource{}, nil)
	}
	if err != nil {
		return err
	}
	return a.sendOutputs(c, v)
}

func (a *API) versionOutputs(c *call) error {
	if c.version.Seq == 0 {
		return c.send(http.StatusOK, []resource{}, nil)
	}
	return a.sendOutputs(c, c.version)
}

func (a *API) readOutput(c *call) error {
	_, name, _ := splitOutput(c.vars["output"]) // resolve has split it before
	if c.version.Seq == 0 {
		return errAbsent
	}
	all, err := a.outputsOf(c, c.version)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.name == name {
			return c.send(http.StatusOK, outputView(c.version.ID, o, true), nil)
		}
	}
	return errAbsent
}
