package page

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/trainer"
)

func TestWhoIsLetIn(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	post := func(change func(*http.Request)) *http.Request {
		return request("POST", "/api/target", `{"model":"cfm/moons"}`, change)
	}
	get := func(path string, change func(*http.Request)) *http.Request { return request("GET", path, "", change) }
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) {
		return func(r *http.Request) {
			r.Host = name
			if r.Method == "POST" {
				r.Header.Set("Origin", "http://"+name)
			}
		}
	}
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"the page":                     {get("/", nil), 200},
		"its state":                    {get("/api/state", nil), 200},
		"its request":                  {post(nil), 200},
		"localhost":                    {post(host("localhost:8765")), 200},
		"IPv6":                         {post(host("[::1]:8765")), 200},
		"another port, forwarded":      {post(host("localhost:9000")), 200},
		"a name that resolves here":    {get("/", host("evil.example:8765")), 403},
		"its request there":            {post(host("evil.example:8765")), 403},
		"a name that begins well":      {get("/", host("localhost.evil.example")), 403},
		"no name":                      {get("/", host("")), 403},
		"an address of the net":        {get("/", host("192.168.1.7:8765")), 403},
		"another page":                 {post(header("Origin", "http://evil.example")), 403},
		"another port of this machine": {post(header("Origin", "http://127.0.0.1:9999")), 403},
		"an opaque origin":             {post(header("Origin", "null")), 403},
		"another scheme":               {post(header("Origin", "https://127.0.0.1:8765")), 403},
		"fetched by another site":      {get("/api/state", header("Sec-Fetch-Site", "cross-site")), 403},
		"fetched by the same site":     {get("/api/state", header("Sec-Fetch-Site", "same-site")), 403},
		"a picture on another site":    {get("/api/file/cfm/moons/losses.png", header("Sec-Fetch-Site", "cross-site")), 403},
		"without the page's header":    {post(func(r *http.Request) { r.Header.Del(pageHeader) }), 403},
		"with a bad one":               {post(header(pageHeader, "a b")), 403},
		"a form":                       {post(header("Content-Type", "text/plain")), 403},
		"DELETE":                       {request("DELETE", "/api/state", "", nil), 405},
		"a link on another page": {get("/", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
		}), 200},
		"a link to the state elsewhere": {get("/api/state", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
		}), 403},
		"a frame": {get("/", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "no-cors")
		}), 403},
	} {
		w := ask(h, c.r)
		if w.Code != c.want {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, c.want)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the content policy is %q", name, policy)
		}
	}
}

func TestToken(t *testing.T) {
	token := NewToken()
	h := newServer(t, Options{Token: token, Hosts: []string{"workstation"}}).Handler()
	get := func(path, host string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
		return ask(h, request("GET", path, "", func(r *http.Request) {
			r.Host = host
			for _, c := range cookies {
				r.AddCookie(c)
			}
		}))
	}
	const here = "192.168.1.7:8765"
	for _, path := range []string{"/", "/api/state", "/?token=" + NewToken(), "/api/state?token=" + token} {
		if w := get(path, here); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d", path, w.Code)
		}
	}
	w := get("/?token="+token, here)
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" || len(cookies) != 1 || !cookies[0].HttpOnly {
		t.Fatalf("with the token: %d to %q, cookies %v", w.Code, w.Header().Get("Location"), cookies)
	}
	for host, want := range map[string]int{here: 200, "workstation:8765": 200, "localhost:8765": 200, "evil.example:8765": 403} {
		if w := get("/api/state", host, cookies...); w.Code != want {
			t.Errorf("with the cookie at %s: %d, want %d", host, w.Code, want)
		}
	}
	if w := get("/api/state", here, &http.Cookie{Name: cookies[0].Name, Value: NewToken()}); w.Code != http.StatusUnauthorized {
		t.Errorf("with another's cookie: %d", w.Code)
	}
}

// Nothing outside the output folder is read, by whatever path or link.
func TestOnlyTheOutputFolder(t *testing.T) {
	dir := copied(t)
	secret := filepath.Join(t.TempDir(), "secret.png")
	check(t, os.WriteFile(secret, []byte("secret"), 0o644))
	run := filepath.Join(dir, "cfm", "moons")
	check(t, os.WriteFile(filepath.Join(run, "mine.png"), []byte("mine"), 0o644))
	check(t, os.Symlink("mine.png", filepath.Join(run, "alias.png")))
	check(t, os.Symlink(secret, filepath.Join(run, "out.png")))
	check(t, os.Symlink("../../../../../../../../"+secret, filepath.Join(run, "up.png")))
	check(t, os.Symlink(filepath.Dir(secret), filepath.Join(dir, "cfm", "elsewhere")))
	check(t, os.Mkdir(filepath.Join(run, "folder.png"), 0o755))
	h := newServer(t, Options{OutputDir: dir}).Handler()
	for path, want := range map[string]int{
		"cfm/moons/mine.png":                           200,
		"cfm/moons/alias.png":                          200,
		"cfm/moons/none.png":                           404,
		"cfm/moons/folder.png":                         404,
		"cfm/moons/out.png":                            403,
		"cfm/moons/up.png":                             403,
		"cfm/elsewhere/secret.png":                     403,
		"cfm/moons/ckpt.pth":                           403,
		"cfm/moons/metrics.jsonl":                      403,
		"..%2F" + filepath.Base(dir) + "%2Fa.png":      403,
		"cfm%2F..%2F..%2F..%2Fetc%2Fhostname.png":      403,
		"%2F" + strings.ReplaceAll(secret, "/", "%2F"): 403,
		"cfm/moons%5C..%5Ca.png":                       403,
	} {
		w := ask(h, request("GET", "/api/file/"+path, "", nil))
		if w.Code != want || strings.Contains(w.Body.String(), "secret\n") || w.Body.String() == "secret" {
			t.Errorf("%s: %d %s, want %d", path, w.Code, w.Body, want)
		}
	}
	// A checkpoint that is a link out is listed with that, and not opened.
	away := filepath.Join(t.TempDir(), "ckpt.pth")
	check(t, os.Rename(filepath.Join(run, trainer.CheckpointFile), away))
	check(t, os.Symlink(away, filepath.Join(run, trainer.CheckpointFile)))
	w := ask(h, request("POST", "/api/target", `{"model":"cfm/moons"}`, nil))
	if w.Code < 400 {
		t.Errorf("a checkpoint outside: %d %s", w.Code, w.Body)
	}
	for _, run := range []string{"cfm/../../x", "/etc", "cfm/elsewhere", "other/x", "cfm/a/b"} {
		body, _ := json.Marshal(map[string]string{"run": run})
		if w := ask(h, request("POST", "/api/watch", string(body), nil)); w.Code < 400 {
			t.Errorf("watching %s: %d", run, w.Code)
		}
	}
}
