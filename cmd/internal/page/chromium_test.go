package page

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chromium is a real browser without a window. It is driven by the DevTools protocol
// through a pair of pipes (--remote-debugging-pipe): messages of JSON, each ended by a
// zero byte.
type chromium struct {
	t  *testing.T
	in *os.File

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	seen    func(message) // events
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// findChromium skips the test where there is no browser.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no chromium: scripts/setup --dev offers it")
	return ""
}

// startChromium starts a browser that ends with the test.
func startChromium(t *testing.T, path string, seen func(message)) *chromium {
	t.Helper()
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-extensions", "--hide-scrollbars", "--mute-audio", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &chromium{t: t, in: ourOut, waiting: map[int]chan message{}, seen: seen}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.read(ourIn)
	}()
	t.Cleanup(func() {
		// All of its processes: the group is its own.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		ourOut.Close()
		<-done
		ourIn.Close()
	})
	return b
}

func (b *chromium) read(from *os.File) {
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			for _, w := range b.waiting {
				close(w)
			}
			b.waiting = nil
			b.mu.Unlock()
			return
		}
		var m message
		if json.Unmarshal(line[:len(line)-1], &m) != nil {
			continue
		}
		if m.ID == 0 {
			b.seen(m)
			continue
		}
		b.mu.Lock()
		w := b.waiting[m.ID]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		if w != nil {
			w <- m
		}
	}
}

const answerTime = 20 * time.Second

// call calls a method of the protocol.
func (b *chromium) call(session, method string, params, result any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	w := make(chan message, 1)
	b.mu.Lock()
	if b.waiting == nil {
		b.mu.Unlock()
		return errors.New("the browser has ended")
	}
	b.last++
	m := message{ID: b.last, Session: session, Method: method, Params: raw}
	b.waiting[m.ID] = w
	line, _ := json.Marshal(m)
	_, err = b.in.Write(append(line, 0))
	b.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case m, ok := <-w:
		switch {
		case !ok:
			return errors.New("the browser has ended")
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		}
		return nil
	case <-time.After(answerTime):
		return fmt.Errorf("%s: no answer", method)
	}
}

// tab is an open page of it.
type tab struct {
	*chromium
	session string
}

type params map[string]any

// open opens an empty page.
func (b *chromium) open() *tab {
	b.t.Helper()
	var target struct{ TargetID string }
	b.must(b.call("", "Target.createTarget", params{"url": "about:blank"}, &target))
	var attached struct{ SessionID string }
	b.must(b.call("", "Target.attachToTarget", params{"targetId": target.TargetID, "flatten": true}, &attached))
	p := &tab{b, attached.SessionID}
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		p.do(domain+".enable", params{})
	}
	return p
}

func (b *chromium) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (p *tab) do(method string, with params) {
	p.t.Helper()
	p.must(p.call(p.session, method, with, nil))
}

// size sets the size of the page, and its colours: "light" or "dark".
func (p *tab) size(width, height int, scheme string) {
	p.t.Helper()
	p.do("Emulation.setDeviceMetricsOverride", params{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
	p.do("Emulation.setEmulatedMedia", params{"features": []params{{"name": "prefers-color-scheme", "value": scheme}}})
}

// eval is the value of an expression, which may be a promise.
func (p *tab) eval(expression string) any {
	p.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	p.must(p.call(p.session, "Runtime.evaluate", params{"expression": expression, "returnByValue": true, "awaitPromise": true}, &out))
	if e := out.ExceptionDetails; e != nil {
		p.t.Fatalf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	return out.Result.Value
}

// until waits for an expression to be true.
func (p *tab) until(what, expression string) {
	p.t.Helper()
	for end := time.Now().Add(answerTime); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if p.eval(expression) == true {
			return
		}
	}
	p.t.Fatalf("not in %s: %s (%s)\nthe page: %v", answerTime, what, expression, p.eval("document.body?.innerText"))
}

// press presses a key.
func (p *tab) press(key string) {
	p.t.Helper()
	codes := []string{"Tab", "Enter", " ", "ArrowLeft", "ArrowRight", "Home", "End", "Escape"}
	numbers := []int{9, 13, 32, 37, 39, 36, 35, 27}
	k := params{"type": "keyDown", "key": key, "code": key}
	if i := slices.Index(codes, key); i >= 0 {
		k["windowsVirtualKeyCode"] = numbers[i]
	}
	if key == " " {
		k["text"], k["code"] = " ", "Space"
	}
	if key == "Enter" {
		k["text"] = "\r"
	}
	p.do("Input.dispatchKeyEvent", k)
	delete(k, "text")
	k["type"] = "keyUp"
	p.do("Input.dispatchKeyEvent", k)
}

// mouse does what the mouse does: mousePressed, mouseMoved, mouseReleased.
func (p *tab) mouse(kind string, x, y float64) {
	p.t.Helper()
	p.do("Input.dispatchMouseEvent", params{"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1})
}

// screenshot is the whole page as a PNG.
func (p *tab) screenshot(path string) {
	p.t.Helper()
	var shot struct{ Data []byte }
	p.must(p.call(p.session, "Page.captureScreenshot", params{"format": "png", "captureBeyondViewport": true}, &shot))
	p.must(os.WriteFile(path, shot.Data, 0o644))
}
