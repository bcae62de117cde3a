"""The parts of gpu-check, in the order of what they tell."""

# (number, program, title, seconds it may take on a GPU, on a processor)
PARTS = [
    (1, "part1_machine.py", "the machine and its libraries", 150, 60),
    (2, "part2_numbers.py", "operations and networks", 100, 90),
    (3, "part3_losses.py", "losses beside PyTorch's", 70, 60),
    (4, "part4_speed.py", "speed", 210, 130),
    (5, "part5_graph.py", "graphs", 40, 30),
    (6, "part6_faults.py", "faults", 70, 60),
    (7, "part7_sampling.py", "sampling and likelihood", 100, 90),
    (8, "part8_soak.py", "soak, stop and resume", 70, 70),
    (9, "part9_mnist.py", "MNIST", 540, 150),
]
