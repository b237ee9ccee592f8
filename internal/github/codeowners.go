package github

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// OwnersErrors lists what GitHub finds wrong with the CODEOWNERS file of a
// branch or commit: beyond what ParseOwners sees it knows which users and teams
// exist and may write. None where all is well, and where there is no such file.
// One request.
func (c *Client) OwnersErrors(ctx context.Context, repoID int64, ref string) ([]OwnersProblem, error) {
	var out struct {
		Errors []struct {
			Line    int    `json:"line"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	_, err := c.repo(ctx, repoID, "GET", "/codeowners/errors?ref="+url.QueryEscape(ref), nil, &out)
	err = classify(fmt.Sprintf("CODEOWNERS errors of repository %d at %s", repoID, ref), err)
	if errs.Is(err, errs.NotFound) && !Gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []OwnersProblem
	for _, e := range out.Errors {
		all = append(all, OwnersProblem{Line: e.Line, Message: e.Message})
	}
	return all, nil
}

// File returns a file as it is at a branch or commit. errs.NotFound where there
// is none, or something else than a file; errs.TooLarge above a megabyte, which
// must be read through git. One request.
func (c *Client) File(ctx context.Context, repoID int64, ref, path string) ([]byte, error) {
	op := fmt.Sprintf("read %s of repository %d at %s", path, repoID, ref)
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p == "" || p == "." || p == ".." {
			return nil, errs.New(errs.Invalid, "%q is no path of a file in a repository.", path)
		}
		parts[i] = url.PathEscape(p)
	}
	var out fileJSON
	_, err := c.repo(ctx, repoID, "GET", "/contents/"+strings.Join(parts, "/")+"?ref="+url.QueryEscape(ref), nil, &out)
	if err != nil {
		return nil, classify(op, err)
	}
	switch {
	case out.Type != "file":
		return nil, errs.New(errs.NotFound, "%s is not a file.", path)
	case out.Encoding != "base64":
		return nil, errs.New(errs.TooLarge, "%s is larger than GitHub hands out this way.", path)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(out.Content, "\n", ""))
	if err != nil {
		return nil, errs.Wrap(errs.Unavailable, fmt.Errorf("github: %s: %w", op, err), "GitHub's answer could not be read.")
	}
	return raw, nil
}

// fileJSON is a file of the contents API, which answers a list for a folder.
type fileJSON struct {
	Type     string
	Encoding string
	Content  string
}

// UnmarshalJSON leaves the type of a folder empty.
func (f *fileJSON) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return nil
	}
	type plain fileJSON
	return json.Unmarshal(raw, (*plain)(f))
}
