# The calcium kernel, one fit a holdout: from the trials that pretraining may see.
rule calcium:
    input:
        manifests=MANIFESTS,
        folds=f"{RESULTS}/folds.csv",
    output:
        kernel=f"{RESULTS}/calcium/{{holdout}}.json",
        picture=report(
            f"{RESULTS}/calcium/{{holdout}}.png",
            caption="../report/kernel.rst",
            category="Pictures",
            labels={"picture": "calcium kernel", "holdout": "{holdout}"},
        ),
    log:
        f"{RESULTS}/logs/calcium/{{holdout}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/calcium/{{holdout}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        config=plan.sections("calcium"),
        code=plan.code("calcium"),
    shell:
        "python -m neural_action calcium --config {params.config:q} --folds {input.folds:q} --holdout {wildcards.holdout:q}"
        " --threads {threads} --output {output.kernel:q} --picture {output.picture:q} {input.manifests:q} 2> {log:q}"
