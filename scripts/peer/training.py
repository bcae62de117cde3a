"""PyTorch's training steps as the reference runs them, and faster: fused AdamW, bf16 autocast where the name says so,
channels-last, a compiled network or one CUDA graph where that is asked for."""

import time

import torch
from compute import autocast, on_gpu, set_precision, status_bytes, synchronize
from networks import BATCH, CONFIGS, MLP, is_dit, of_images


class Job:
    """A network and its training steps: points, or images, of which CONFIGS has the names."""

    def __init__(self, name, precision, device, how="eager", channels_last=False, batch=0, threads=0, products=False):
        self.name, self.precision, self.device, self.how = name, precision, device, how
        set_precision(precision)
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(0)
        points = name == "points"
        self.model = (MLP() if points else of_images(name, products)).to(device)
        self.layout = torch.channels_last if channels_last and not points and not is_dit(name) else torch.contiguous_format
        self.model.to(memory_format=self.layout)
        self.params = list(self.model.parameters())
        mode = "reduce-overhead" if on_gpu(device) else "default"  # which is with CUDA graphs
        self.run_model = torch.compile(self.model, mode=mode) if how == "compile" else self.model
        self.clip = 0.0 if points else 1.0
        # The default recipe of digits averages the weights; the reference's recipe does not.
        self.ema = [p.detach().clone() for p in self.params] if name in ("digits", "dit") else None
        self.adamw = torch.optim.AdamW(self.params, lr=1e-3, fused=True, capturable=how == "graph")
        self.batch, self.k = batch or BATCH[name], 0
        if not points:
            c = CONFIGS[name]
            n = 8 * self.batch
            self.data = torch.rand(n, c["channels"], c["size"], c["size"]) * 2 - 1
            self.label = torch.randint(0, 10, (n,))
            if on_gpu(device):
                self.data, self.label = self.data.pin_memory(), self.label.pin_memory()
        self.graph = None
        if how == "graph":
            self.capture()

    def draw(self):
        """The batch of this step, on the device: points are drawn there, images come from memory."""
        if self.name == "points":
            u = torch.rand(self.batch, 3, device=self.device)
            a = 4 * u[:, 0] - 2
            b = u[:, 1] - 2 * (u[:, 2] < 0.5) + torch.floor(a) % 2
            return torch.stack([a, b], 1) / 0.45, None
        at = (self.k % 8) * self.batch
        to = lambda x: x[at : at + self.batch].to(self.device, non_blocking=True)  # noqa: E731
        return to(self.data), to(self.label)

    def update(self, x1, y):
        x0 = torch.randn_like(x1)
        t = torch.rand(self.batch, device=self.device)
        xt = torch.lerp(x0, x1, t.view(-1, *[1] * (x1.dim() - 1)))
        if xt.dim() == 4:
            xt = xt.contiguous(memory_format=self.layout)
        self.adamw.zero_grad()
        with autocast(self.device, self.precision):
            v = self.run_model(t, xt, y)
        loss = torch.nn.functional.mse_loss(v.float(), x1 - x0)
        loss.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.params, self.clip)
        self.adamw.step()
        if self.ema is not None:
            with torch.no_grad():
                torch._foreach_lerp_(self.ema, self.params, 0.002)
        return loss.detach()

    def capture(self):
        """One CUDA graph of the whole step, with the batch copied into its place beforehand."""
        self.x1, self.y = self.draw()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.update(self.x1, self.y)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.update(self.x1, self.y)

    def step(self):
        x1, y = self.draw()
        self.k += 1
        if self.graph is None:
            self.update(x1, y)
            return
        self.x1.copy_(x1, non_blocking=True)
        if y is not None:
            self.y.copy_(y, non_blocking=True)
        self.graph.replay()


def measure(job, seconds, most):
    """The pace of a job's steps, as train --json gives it: [steps done, seconds since the first began], once a
    second or after 64 steps on a processor, each time with nothing left to do on the device."""
    device = job.device
    if on_gpu(device):
        torch.cuda.reset_peak_memory_stats(device)
    synchronize(device)
    start = last = time.perf_counter()
    pace, done, since = [[0, 0.0]], 0, 0
    while done < most and last - start < seconds:
        job.step()
        done += 1
        since += 1
        now = time.perf_counter()
        if done == most or now - last >= 1 or (since == 64 and not on_gpu(device)):
            synchronize(device)
            last, since = time.perf_counter(), 0
            pace.append([done, last - start])
    gpu = torch.cuda.max_memory_allocated(device) if on_gpu(device) else 0
    return {"pace": pace, "peak_bytes": status_bytes("VmHWM:"), "peak_gpu_bytes": gpu}


def run_job(name, precision, device, how, seconds, most, **more):
    job = Job(name, precision, device, how, **more)
    out = {"job": name, "precision": precision, "how": how, "batch": job.batch}
    out.update(measure(job, seconds, most))
    return out


def free():
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
