"""Adam, SGD and spike penalties on the networks of network_2 and network_6, by PyTorch autograd in float64.

    python make_training.py        (needs torch, numpy and safetensors; reads and writes the files beside it; seconds)

It first reproduces the gradients and the five Adamax steps that the network's own file holds, then writes
training_2.safetensors and training_6.safetensors. It refuses to write where float32 could find another spike: where a
membrane comes within MARGIN of the threshold in any pass.
"""
import json, math, os
import torch
from safetensors import safe_open
from safetensors.torch import save_file

ALPHA, BETA, MARGIN = math.exp(-1 / 5), math.exp(-1 / 10), 1e-4
L1, L2, STEPS = 0.01, 0.02, 5
HERE = os.path.dirname(os.path.abspath(__file__))


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient / (100 * x.abs() + 1) ** 2


def run(weights, x):
    """Logits, the spikes of each layer (batch × steps × units), and how close any membrane came to the threshold."""
    depth, closest, layers = sum(name.startswith("v") for name in weights), math.inf, []
    for layer in range(1, depth + 1):
        w, v = weights[f"w{layer}"], weights[f"v{layer}"]
        s = mem = syn = x.new_zeros(len(x), w.shape[1])
        spikes = []
        for t in range(x.shape[1]):
            h = x[:, t] @ w + s @ v
            closest = min(closest, (mem - 1).abs().min().item())
            s = Spike.apply(mem - 1)
            mem, syn = (BETA * mem + syn) * (1 - s.detach()), ALPHA * syn + h
            spikes.append(s)
        x = torch.stack(spikes, 1)
        layers.append(x)
    out = flt = x.new_zeros(len(x), weights["w_out"].shape[1])
    trace = [out]
    for t in range(x.shape[1]):
        out, flt = BETA * out + flt, ALPHA * flt + x[:, t] @ weights["w_out"]
        trace.append(out)
    # Of equal largest values the first gets the gradient.
    return torch.stack(trace, 1).max(1).values, layers, closest


def penalty_of(layers):
    """Σ over layers of the mean over samples of L1 Σ c + L2 (1/n) Σ c², c the spikes of a neuron in a sample."""
    counts = [spikes.sum(1) for spikes in layers]
    return sum((L1 * c.sum(1) + L2 * (c**2).mean(1)).mean() for c in counts)


def steps(start, x, labels, optimiser_of, penalised):
    weights = {name: weight.clone().requires_grad_() for name, weight in start.items()}
    optimiser, losses, costs, closest, gradients = optimiser_of(list(weights.values())), [], [], math.inf, None
    for _ in range(STEPS):
        logits, layers, near = run(weights, x)
        loss, cost = torch.nn.functional.cross_entropy(logits, labels), penalty_of(layers)
        optimiser.zero_grad()
        (loss + cost if penalised else loss).backward()
        gradients = gradients or {name: weight.grad.clone() for name, weight in weights.items()}
        optimiser.step()
        losses.append(loss.item()), costs.append(cost.item())
        closest = min(closest, near)
    after = {name: weight.detach() for name, weight in weights.items()}
    return after, gradients, {"losses": losses, "costs": costs, "threshold_margin": closest}


def near(found, expected):
    return (found - expected).abs().max() <= 1e-6 * expected.abs().max()


def main(seed):
    with safe_open(f"{HERE}/network_{seed}.safetensors", "pt") as file:
        golden = {key: file.get_tensor(key).double() for key in file.keys()}
    start = {key[5:]: value for key, value in golden.items() if key.startswith("init.")}
    x, labels = golden["input"], golden["labels"].long()
    rules = {
        "adamax": (lambda weights: torch.optim.Adamax(weights, lr=1e-3), False),
        "adam": (lambda weights: torch.optim.Adam(weights, lr=5e-4), False),
        "sgd": (lambda weights: torch.optim.SGD(weights, lr=0.02, momentum=0.9), False),
        "penalised": (lambda weights: torch.optim.Adam(weights, lr=5e-4), True),
    }
    tensors, info = {}, {"l1": L1, "l2": L2}
    for name, (optimiser_of, penalised) in rules.items():
        after, gradients, told = steps(start, x, labels, optimiser_of, penalised)
        if name == "adamax":
            assert all(near(after[key], golden[f"after5.{key}"]) for key in start), "not the network of the file"
            assert all(near(gradients[key], golden[f"grad.{key}"]) for key in start), "not the network of the file"
            continue
        assert told["threshold_margin"] > MARGIN, (seed, name, told)
        info[name] = told
        for key in start:
            tensors[f"{name}.after5.{key}"] = after[key].float().contiguous()
            if penalised:
                tensors[f"{name}.grad.{key}"] = gradients[key].float().contiguous()
    save_file(tensors, f"{HERE}/training_{seed}.safetensors", {"info": json.dumps(info)})
    print(seed, {name: info[name]["threshold_margin"] for name in ["adam", "sgd", "penalised"]}, info["penalised"]["costs"])


if __name__ == "__main__":
    for seed in [2, 6]:
        main(seed)
