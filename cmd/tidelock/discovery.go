package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
)

// discoveryPath is where Terraform and OpenTofu ask what a host offers.
const discoveryPath = "/.well-known/terraform.json"

// discovery answers with what the parts of the server offer: each part brings
// its own table of services.
func discovery(parts ...map[string]any) http.Handler {
	services := map[string]any{}
	for _, p := range parts {
		maps.Copy(services, p)
	}
	body, err := json.Marshal(services)
	if err != nil {
		panic(err) // a part's table is written in the code
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Ask with GET.", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // nobody is left to be told; HEAD sends none of it
	})
}
