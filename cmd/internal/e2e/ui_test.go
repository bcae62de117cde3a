package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// page starts bin/ui on a free port and gives the address that it prints.
func page(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := command(t, t.TempDir(), "ui", nil, append([]string{"--port", "0", "--device", "cpu", "--threads", "1"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("bin/ui prints no address: %v", err)
	}
	return cmd, strings.TrimSpace(line)
}

func get(t *testing.T, address string) (status int, body string) {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// The page is served with an output folder that is not there yet, and nothing is made of
// it; a signal ends it, with an open stream.
func TestPage(t *testing.T) {
	cmd, address := page(t, "--quiet")
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Errorf("the address is %s", address)
	}
	if status, body := get(t, address); status != 200 || !strings.Contains(body, "<title>flowmatch</title>") {
		t.Errorf("the page: %d %s", status, body)
	}
	if status, body := get(t, address+"api/state"); status != 200 || !strings.Contains(body, `"models":[`) {
		t.Errorf("the state: %d %s", status, body)
	}
	if _, err := os.Stat(filepath.Join(cmd.Dir, "outputs")); !os.IsNotExist(err) {
		t.Error("looking made an output folder")
	}
	r, err := http.Get(address + "api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the page goes on after SIGTERM")
	}
	if got := cmd.ProcessState.ExitCode(); got != 143 {
		t.Errorf("status %d after SIGTERM", got)
	}
}

// With --json there is a line for the page, one for each training, and a summary.
func TestPageJSON(t *testing.T) {
	cmd := command(t, t.TempDir(), "ui", nil, "--port", "0", "--device", "cpu", "--threads", "1", "--json", "--quiet")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	read := json.NewDecoder(out)
	var page struct {
		Type, Address, Host string
		Port                int
		OutputDir           string `json:"output_dir"`
	}
	if err := read.Decode(&page); err != nil || page.Type != "page" || page.Address != fmt.Sprintf("http://127.0.0.1:%d/", page.Port) || page.Host != "127.0.0.1" || page.OutputDir != "outputs" {
		t.Fatalf("%+v, %v", page, err)
	}
	for _, body := range []string{"{}", `{"seed":1,"iterations":1,"points":[` + strings.Repeat("0.1,0.2,0.3,-0.2,", 40) + "0,0]}"} {
		ask, err := http.NewRequest("POST", page.Address+"api/train", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		ask.Header.Set("Content-Type", "application/json")
		ask.Header.Set("X-Flowmatch-Page", "page-of-a-test")
		r, err := http.DefaultClient.Do(ask)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		r.Body.Close()
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var training, end struct {
		Type                        string
		Number, Requests, Trainings int
		Seconds                     float64
	}
	if err := read.Decode(&training); err != nil || training.Type != "training" || training.Number != 1 {
		t.Errorf("%+v, %v", training, err)
	}
	if err := read.Decode(&end); err != nil || end.Type != "summary" || end.Requests != 2 || end.Trainings != 1 || end.Seconds <= 0 {
		t.Errorf("%+v, %v", end, err)
	}
	if err := read.Decode(&end); err != io.EOF {
		t.Errorf("after the summary: %v", err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 143 {
		t.Errorf("status %d", got)
	}
}

// Open to other machines, the page asks for the token that its address has.
func TestPageWithToken(t *testing.T) {
	_, address := page(t, "--host", "0.0.0.0", "--quiet")
	_, token, ok := strings.Cut(address, "/?token=")
	if !ok || len(token) != 32 {
		t.Fatalf("the address %s has no token", address)
	}
	port := address[strings.LastIndex(strings.TrimSuffix(address, "/?token="+token), ":")+1:]
	port, _, _ = strings.Cut(port, "/")
	here := "http://127.0.0.1:" + port + "/"
	if status, _ := get(t, here); status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", status)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Get(here + "?token=" + token)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusSeeOther || len(r.Cookies()) != 1 {
		t.Errorf("with the token: %d, cookies %v", r.StatusCode, r.Cookies())
	}
}

func TestPageRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	refused(t, program(t, "ui", noLibtorch, "--port", port), 1, "port "+port, "taken", "--port")
	refused(t, program(t, "ui", nil, "--port", "70000"), 2, "--port 70000")
	refused(t, program(t, "ui", nil, "outputs"), 2, "outputs")
	refused(t, program(t, "ui", nil, "--host", "nowhere.invalid", "--port", "0"), 1, "--host nowhere.invalid")
	refused(t, program(t, "ui", noLibtorch, "--port", "0"), 1, "LIBTORCH")
}
