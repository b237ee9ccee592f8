package tfe

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

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
func outputView(version string, o state.Output, all bool) resource {
	at := map[string]any{"name": o.Name, "sensitive": o.Sensitive, "type": kindOf(o.Type), "value": nil, "detailed-type": o.Type}
	if all || !o.Sensitive {
		at["value"] = o.Value
	}
	return resource{ID: outputID(version, o.Name), Type: "state-version-outputs", Attributes: at}
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

func (a *API) outputsOf(c *call, v state.Version) ([]state.Output, error) {
	if v.Encrypted {
		// Nobody here can look into it. An output without a type has the client
		// read the whole state, to which it has the key.
		return []state.Output{{Name: "encrypted", Value: json.RawMessage("null"), Type: json.RawMessage("null")}}, nil
	}
	body, err := a.content(c.Request, v, c.workspace.Name)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return state.ParseOutputs(body)
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
		if o.Name == name {
			return c.send(http.StatusOK, outputView(c.version.ID, o, true), nil)
		}
	}
	return errAbsent
}
