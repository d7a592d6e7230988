# Simulates recordings in the layout of the authors' release, one job for each animal.
rule simulate:
    output:
        directory(f"{RESULTS}/raw/{{animal}}"),
    log:
        f"{RESULTS}/logs/simulate/{{animal}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate/{{animal}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(1500),
        runtime=grows(10),
    params:
        config=plan.depends_on.sections("simulation"),
        code=plan.code("simulate"),
        number=lambda wildcards: plan.simulated_animals.index(wildcards.animal),
    shell:
        "python -m neural_action simulate --config {params.config:q} --animal {params.number} --output {output:q} 2> {log:q}"
