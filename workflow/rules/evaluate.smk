# Evaluates every row, one job for each row, run and seed, and collects all scores in one table.
rule evaluate:
    input:
        unpack(plan.evaluate_inputs),
        dataset=DATASET,
        splits=SPLIT_TABLE,
    output:
        scores=f"{RUN}/scores.csv",
        embedding=f"{RUN}/embedding.npz",
    log:
        f"{RESULTS}/logs/evaluate/{{method}}/{{run}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/{{method}}/{{run}}/seed-{{seed}}.tsv"
    # Many short jobs: on a cluster several are submitted together and run one after the other (profiles/slurm).
    group:
        "evaluate"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(10),
        in_turn=1,
    params:
        dataset=dataset_folder,
        config=lambda wildcards: plan.depends_on.evaluate(wildcards.method),
        run=lambda wildcards: plan.run_options(wildcards.run),
        code=lambda wildcards: plan.code(
            "evaluate", plan.method_modules(wildcards.method)
        ),
        given=lambda wildcards: options(plan.evaluate_inputs(wildcards)),
    shell:
        "python -m neural_action evaluate --config {params.config:q} --method {wildcards.method} --dataset {params.dataset:q}"
        " --splits {input.splits:q} {params.run:q} --seed {wildcards.seed} --threads {threads} {params.given:q}"
        " --scores {output.scores:q} --embedding {output.embedding:q} 2> {log:q}"


rule collect:
    input:
        expand(
            f"{RUN}/scores.csv",
            method=plan.methods,
            run=plan.runs,
            seed=plan.settings.seeds,
        ),
    output:
        f"{RESULTS}/scores.csv",
    log:
        f"{RESULTS}/logs/collect.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=plan.code("collect"),
    shell:
        "python -m neural_action collect --output {output:q} {input:q} 2> {log:q}"


# Scores of animals that pretraining did not see. They are in a file of their own, because their protocol differs.
use rule collect as collect_unseen with:
    input:
        expand(
            f"{RUN}/scores.csv",
            method=plan.settings.adapt.rows,
            run=[*plan.runs, *plan.unseen],
            seed=plan.settings.seeds,
        ),
    output:
        f"{RESULTS}/scores_unseen_animal.csv",
    log:
        f"{RESULTS}/logs/collect_unseen.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_unseen.tsv"


# How well embeddings of the same windows, or of similar behaviour, map linearly onto each other.
rule consistency:
    input:
        dataset=DATASET,
        embeddings=expand(
            f"{RUN}/embedding.npz",
            method=plan.trained,
            run=plan.runs,
            seed=plan.settings.seeds,
        ),
    output:
        f"{RESULTS}/consistency.csv",
    log:
        f"{RESULTS}/logs/consistency.log",
    benchmark:
        f"{RESULTS}/benchmarks/consistency.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(20),
    params:
        dataset=dataset_folder,
        config=plan.depends_on.consistency,
        code=plan.code("consistency"),
        embeddings=lambda wildcards, input: [
            f"--embedding={path}" for path in input.embeddings
        ],
    shell:
        "python -m neural_action consistency --config {params.config:q} --dataset {params.dataset:q}"
        " {params.embeddings:q} --output {output:q} 2> {log:q}"
