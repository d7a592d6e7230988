# Fits the calcium kernel once for each run, to the trials that pretraining may see.
rule calcium:
    input:
        dataset=DATASET,
        splits=SPLIT_TABLE,
    output:
        kernel=f"{RESULTS}/calcium/{{run}}.json",
        picture=report(
            f"{RESULTS}/calcium/{{run}}.png",
            caption="../report/kernel.rst",
            category="Pictures",
            labels={"picture": "calcium kernel", "run": "{run}"},
        ),
    log:
        f"{RESULTS}/logs/calcium/{{run}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/calcium/{{run}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        dataset=dataset_folder,
        config=plan.depends_on.sections("calcium"),
        code=plan.code("calcium"),
        run=lambda wildcards: plan.run_options(wildcards.run),
    shell:
        "python -m neural_action calcium --config {params.config:q} --dataset {params.dataset:q} --splits {input.splits:q} {params.run:q}"
        " --threads {threads} --output {output.kernel:q} --picture {output.picture:q} 2> {log:q}"
